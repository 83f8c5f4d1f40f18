// The groups of a unit, bundled.
#pragma once

#include <algorithm>
#include <cmath>

#include "hmvn/control/crew.hpp"
#include "hmvn/coordinates/layout.hpp"

namespace hmvn {

// Bundles of neighbouring groups, each of some fifty microseconds' work. Whoever works on groups
// at the same time does so a bundle each, with room of its own; sums are made over a bundle's
// groups, and then over bundles, in order. How groups are bundled depends on their number and that
// of features alone, and so nothing that is computed depends on the crew.
class Bundles {
 public:
  // Keeps a reference to the crew.
  Bundles(int n_groups, int n_features, Crew& crew) : n_groups_(n_groups), crew_(crew) {
    const double enough = work / std::pow(n_features, 3.0);
    while (2 * size() <= enough || (n_groups - 1) >> shift_ >= most_bundles) ++shift_;
  }

  int n_bundles() const { return ((n_groups_ - 1) >> shift_) + 1; }
  Range groups(int bundle) const {
    const int begin = bundle << shift_;
    return {begin, std::min(size(), n_groups_ - begin)};
  }
  int of(int group) const { return group >> shift_; }

  // Calls task(bundle) for every bundle: see Crew.
  template <class Task>
  void for_each(const Task& task) const {
    crew_.for_each(n_bundles(), task);
  }

 private:
  // Of a group it grows about as the cube of the number of features. A bundle's room is to be found
  // in a nearer cache anew by everyone who comes to it: a microsecond, of fifty that a bundle of
  // this much takes for a density and its gradient.
  static constexpr double work = 4200.0;
  static constexpr int most_bundles = 64;

  int size() const { return 1 << shift_; }

  int n_groups_, shift_ = 0;  // a bundle's size is a power of two: the way back is asked for often
  Crew& crew_;
};

}  // namespace hmvn
