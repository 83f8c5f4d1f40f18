// The log of a product of many factors with one call of log().
#pragma once

#include <cmath>

namespace hmvn {

// Each factor between 1e-150 and 1e150.
template <class T = double>
class LogProduct {
 public:
  [[gnu::always_inline]] void multiply(const T& factor) {
    product_ *= factor;
    if (!(product_ > T(1e-150) && product_ < T(1e150))) flush();
  }
  T value() const {
    using std::log;
    return sum_ + log(product_);
  }

 private:
  [[gnu::noinline, gnu::cold]] void flush() {
    using std::log;
    sum_ += log(product_);
    product_ = T(1);
  }

  T product_ = T(1), sum_ = T(0);
};

}  // namespace hmvn
