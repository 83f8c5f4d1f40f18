// How the sampling of a fit is divided: by the numbers of its units and chains alone, so that
// neither draws nor sums depend on threads, workers or interruptions.
#pragma once

#include <algorithm>

namespace hmvn {

// One chain of one unit, by number.
struct Cell {
  int unit, chain;
};

// The cells of a job, unit after unit, and chain after chain within a unit. Sums over its units are
// made in that order, and over slices in theirs.
struct JobRange {
  int slice, first_unit, end_unit, first_chain, end_chain;

  int n_cells() const { return (end_unit - first_unit) * (end_chain - first_chain); }
  Cell cell(int i) const {
    const int n_chains = end_chain - first_chain;
    return {first_unit + i / n_chains, first_chain + i % n_chains};
  }
};

// Units make slices. With few units a slice is a unit, and every chain of it a job; with many, a
// job is a slice with all its chains, so that no more units are prepared at once than there are
// jobs under way.
class Division {
 public:
  Division(int n_units, int n_chains)
      : n_units_(n_units),
        n_chains_(n_chains),
        n_slices_(std::min(n_units, std::clamp(n_units / 1024, fewest_slices, most_slices))) {}

  bool has_few_units() const { return n_units_ < fewest_slices; }
  int n_units() const { return n_units_; }
  int n_chains() const { return n_chains_; }
  int n_slices() const { return n_slices_; }
  int n_jobs() const { return has_few_units() ? n_units_ * n_chains_ : n_slices_; }

  JobRange range(int job) const {
    if (has_few_units()) {
      const int unit = job / n_chains_, chain = job % n_chains_;
      return {unit, unit, unit + 1, chain, chain + 1};
    }
    return {job, first_unit(job), first_unit(job + 1), 0, n_chains_};
  }

 private:
  // Of many units; what is kept by slice takes memory, and jobs by the thousand serve nobody.
  static constexpr int fewest_slices = 64, most_slices = 1024;

  int first_unit(int slice) const {
    return static_cast<int>(static_cast<long long>(n_units_) * slice / n_slices_);
  }

  int n_units_, n_chains_, n_slices_;
};

}  // namespace hmvn
