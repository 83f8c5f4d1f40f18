// E-BFMI: whether momenta let the energy move as far as it must.
#pragma once

namespace hmvn {

// Variance of the energy's changes over variance of the energy (Betancourt 2016), in one pass.
class EnergyMonitor {
 public:
  void add(double energy) {
    if (count_ > 0) changes_ += (energy - last_) * (energy - last_);
    last_ = energy;
    ++count_;
    const double delta = energy - mean_;
    mean_ += delta / count_;
    squares_ += delta * (energy - mean_);
  }
  double ebfmi() const { return squares_ > 0.0 ? changes_ / squares_ : 1.0; }

  template <class Archive>
  void visit(Archive& archive) {
    archive(count_);
    for (double* x : {&last_, &mean_, &squares_, &changes_}) archive(*x);
  }

 private:
  int count_ = 0;
  double last_ = 0.0, mean_ = 0.0, squares_ = 0.0, changes_ = 0.0;
};

}  // namespace hmvn
