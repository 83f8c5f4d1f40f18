// Of what is known of all features the part that a pattern of rows observed, and back.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/model/group_statistics.hpp"

namespace hmvn {

// Where the number of features is known to the compiler, everything keeps its size, so that loops
// are unrolled, and is zero where not observed. A matrix that is to be inverted has a unit diagonal
// there: add_unseen(1, ...).
template <int K>
class Observed {
 public:
  explicit Observed(const PatternStatistics& pattern) : seen_(pattern.observed) {}

  static constexpr Eigen::Index size() { return K; }

  template <class T>
  void take(const Eigen::Matrix<T, K, K>& all, Eigen::Matrix<T, K, K>& part) const {
    const Eigen::Matrix<T, K, 1> seen = seen_.template cast<T>();
    part = seen.asDiagonal() * all * seen.asDiagonal();
  }
  template <class T>
  void take_vector(const Eigen::Matrix<T, K, 1>& all, Eigen::Matrix<T, K, 1>& part) const {
    part = all.cwiseProduct(seen_.template cast<T>());
  }

  template <class T>
  void add_unseen(T value, Eigen::Matrix<T, K, K>& part) const {
    part.diagonal() += value * (T(1) - seen_.template cast<T>().array()).matrix();
  }

  // What was not observed is zero in `part`.
  template <class T, int Columns>
  void add(T weight, const Eigen::Matrix<T, K, Columns>& part,
           Eigen::Matrix<T, K, Columns>& all) const {
    all += weight * part;
  }

 private:
  const Eigen::VectorXd& seen_;
};

// Where it is not, these features alone.
template <>
class Observed<Eigen::Dynamic> {
 public:
  explicit Observed(const PatternStatistics& pattern) : places_(pattern.places) {}

  Eigen::Index size() const { return static_cast<Eigen::Index>(places_.size()); }

  template <class T>
  void take(const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>& all,
            Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>& part) const {
    part.resize(size(), size());
    for (Eigen::Index j = 0; j < size(); ++j) {
      for (Eigen::Index i = 0; i < size(); ++i) part(i, j) = all(place(i), place(j));
    }
  }
  template <class T>
  void take_vector(const Eigen::Matrix<T, Eigen::Dynamic, 1>& all,
                   Eigen::Matrix<T, Eigen::Dynamic, 1>& part) const {
    part.resize(size());
    for (Eigen::Index i = 0; i < size(); ++i) part[i] = all[place(i)];
  }

  template <class T>
  void add_unseen(T, Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>&) const {}

  template <class T>
  void add(T weight, const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>& part,
           Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>& all) const {
    for (Eigen::Index j = 0; j < size(); ++j) {
      for (Eigen::Index i = 0; i < size(); ++i) all(place(i), place(j)) += weight * part(i, j);
    }
  }
  template <class T>
  void add(T weight, const Eigen::Matrix<T, Eigen::Dynamic, 1>& part,
           Eigen::Matrix<T, Eigen::Dynamic, 1>& all) const {
    for (Eigen::Index i = 0; i < size(); ++i) all[place(i)] += weight * part[i];
  }

 private:
  Eigen::Index place(Eigen::Index i) const { return places_[static_cast<std::size_t>(i)]; }

  const std::vector<int>& places_;
};

}  // namespace hmvn
