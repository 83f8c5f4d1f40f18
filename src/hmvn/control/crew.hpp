// Who does a chain's work: one, or several at the same time.
#pragma once

#include <memory>

namespace hmvn {

// A function of a task's number, which must outlive the call that it is given to.
class TaskRef {
 public:
  TaskRef() = default;
  template <class Task>
  explicit TaskRef(const Task& task)
      : task_(std::addressof(task)),
        call_([](const void* of, int i) { (*static_cast<const Task*>(of))(i); }) {}

  void operator()(int i) const { call_(task_, i); }

 private:
  const void* task_ = nullptr;
  void (*call_)(const void*, int) = nullptr;
};

// Who knows threads derives from this; who has work knows no more than this.
class Crew {
 public:
  virtual ~Crew() = default;

  // Calls task(0), ..., task(n - 1), each once, in any order or at the same time, and returns when
  // all are done. Where tasks throw, some may be left out, and what is rethrown is what the first
  // of those that failed threw, by number. Not to be called within a task.
  template <class Task>
  void for_each(int n, const Task& task) {
    if (n == 1) {
      task(0);
    } else {
      run(n, TaskRef(task));
    }
  }

 private:
  virtual void run(int n, TaskRef task) = 0;
};

// A crew of one.
class Alone final : public Crew {
 private:
  void run(int n, TaskRef task) override {
    for (int i = 0; i < n; ++i) task(i);
  }
};

inline Alone alone;

}  // namespace hmvn
