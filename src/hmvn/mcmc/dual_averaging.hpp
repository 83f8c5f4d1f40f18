// Finds the step size at which proposals are accepted at a wished rate.
#pragma once

#include <algorithm>
#include <cmath>

namespace hmvn {

// Nesterov's dual averaging as in Hoffman and Gelman (2014), section 3.2.1, equation (6).
struct DualAveragingSettings {
  double target_accept = 0.8;  // delta
  double shrinkage = 0.05;     // gamma
  double decay = 0.75;         // kappa
  double offset = 10.0;        // t0
};

class DualAveraging {
 public:
  // Steps stay below `largest`, and so does what is averaged: beyond, acceptance says nothing of
  // the step.
  DualAveraging(const DualAveragingSettings& settings, double largest)
      : settings_(settings), log_largest_(std::log(largest)) {}

  void restart(double step_size) {
    center_ = std::log(10.0 * step_size);
    count_ = 0.0;
    error_ = 0.0;
    log_step_ = std::log(step_size);
    log_averaged_step_ = 0.0;
  }

  void advance(double accept_stat) {
    count_ += 1.0;
    const double weight = 1.0 / (count_ + settings_.offset);
    error_ = (1.0 - weight) * error_ + weight * (settings_.target_accept - accept_stat);
    log_step_ = std::min(log_largest_, center_ - error_ * std::sqrt(count_) / settings_.shrinkage);
    const double fade = std::pow(count_, -settings_.decay);
    log_averaged_step_ = fade * log_step_ + (1.0 - fade) * log_averaged_step_;
  }

  double step_size() const { return std::exp(log_step_); }
  double averaged_step_size() const {
    return count_ > 0.0 ? std::exp(log_averaged_step_) : step_size();
  }

  template <class Archive>
  void visit(Archive& archive) {
    for (double* x : {&center_, &count_, &error_, &log_step_, &log_averaged_step_}) archive(*x);
  }

 private:
  DualAveragingSettings settings_;
  double log_largest_;
  double center_ = 0.0;
  double count_ = 0.0;
  double error_ = 0.0;
  double log_step_ = 0.0;
  double log_averaged_step_ = 0.0;
};

}  // namespace hmvn
