// States of runs as bytes: what one machine saves another of its kind can load.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace hmvn {

using StateBytes = std::vector<unsigned char>;

// Objects say what their state is in one place: `visit(archive)` calls archive(x) for every part,
// whether it is saved or loaded.
class StateWriter {
 public:
  template <class T>
  std::enable_if_t<std::is_arithmetic<T>::value> operator()(T& x) {
    put(&x, sizeof x);
  }
  template <class T, int R, int C, int O>
  void operator()(Eigen::Matrix<T, R, C, O>& x) {
    Eigen::Index rows = x.rows(), cols = x.cols();
    (*this)(rows);
    (*this)(cols);
    put(x.data(), sizeof(T) * static_cast<std::size_t>(x.size()));
  }

  const StateBytes& bytes() const { return bytes_; }

 private:
  void put(const void* from, std::size_t size) {
    const auto* begin = static_cast<const unsigned char*>(from);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }

  StateBytes bytes_;
};

class StateReader {
 public:
  explicit StateReader(const StateBytes& bytes) : bytes_(bytes) {}

  template <class T>
  std::enable_if_t<std::is_arithmetic<T>::value> operator()(T& x) {
    get(&x, sizeof x);
  }
  template <class T, int R, int C, int O>
  void operator()(Eigen::Matrix<T, R, C, O>& x) {
    Eigen::Index rows = 0, cols = 0;
    (*this)(rows);
    (*this)(cols);
    const Eigen::Index left = static_cast<Eigen::Index>((bytes_.size() - at_) / sizeof(T));
    const bool fits = rows >= 0 && cols >= 0 && (rows == 0 || cols <= left / rows) &&
                      (R == Eigen::Dynamic || rows == R) && (C == Eigen::Dynamic || cols == C);
    if (!fits) throw std::runtime_error("a saved state does not belong to this run");
    x.resize(rows, cols);
    get(x.data(), sizeof(T) * static_cast<std::size_t>(x.size()));
  }

  // To be called when all is read.
  void finish() const {
    if (at_ != bytes_.size()) throw std::runtime_error("a saved state has more than was read");
  }

 private:
  void get(void* to, std::size_t size) {
    if (size > bytes_.size() - at_) throw std::runtime_error("a saved state ends too early");
    if (size > 0) std::memcpy(to, bytes_.data() + at_, size);
    at_ += size;
  }

  const StateBytes& bytes_;
  std::size_t at_ = 0;
};

// States of several runs, one after the other, each after its length.
class StateSequence {
 public:
  StateSequence() = default;
  explicit StateSequence(StateBytes bytes) : bytes_(std::move(bytes)) {}

  void append(const StateBytes& state) {
    const std::uint64_t size = state.size();
    const auto* length = reinterpret_cast<const unsigned char*>(&size);
    bytes_.insert(bytes_.end(), length, length + sizeof size);
    bytes_.insert(bytes_.end(), state.begin(), state.end());
  }
  // The state after that which was read last, if it is there.
  bool next(StateBytes& state) {
    std::uint64_t size = 0;
    if (bytes_.size() - at_ < sizeof size) return false;
    std::memcpy(&size, bytes_.data() + at_, sizeof size);
    at_ += sizeof size;
    if (bytes_.size() - at_ < size) return false;
    const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(at_);
    at_ += static_cast<std::size_t>(size);
    state.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
    return true;
  }
  // All that was appended since the last call.
  StateBytes take() {
    StateBytes all;
    all.swap(bytes_);
    return all;
  }

 private:
  StateBytes bytes_;
  std::size_t at_ = 0;
};

}  // namespace hmvn
