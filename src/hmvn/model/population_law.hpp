// The population scores of the coefficients, integrated out exactly (C3).
#pragma once

#include <Eigen/Core>

#include "hmvn/math/triangles.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// Sums over groups of a matrix and a vector, one each a group.
template <class T, int K>
struct GroupSums {
  Eigen::Matrix<T, K, K> square;
  Eigen::Matrix<T, K, 1> vector;

  void resize(int n) {
    square.setZero(n, n);
    vector.setZero(n);
  }
  void clear() {
    square.setZero();
    vector.setZero();
  }
  template <class Square, class Vector>
  void add(const Square& one_square, const Vector& one_vector) {
    square += one_square;
    vector.noalias() += one_vector;
  }
  void add(const GroupSums& sums) { add(sums.square, sums.vector); }
};

// Every group's estimate x_g is Normal(T u_0, C_g), u_0 ~ Normal(0, I). Given all C_g^-1 and C_g^-1
// x_g, u_0 is Normal(u, A^-1) with A = I + T Q T, Q = sum_g C_g^-1, and A u = T sum_g C_g^-1 x_g.
// Without pooling T = 0, and nothing is computed.
template <class T, int K>
class PopulationLaw {
 public:
  using Vector = Eigen::Matrix<T, K, 1>;
  using Square = Eigen::Matrix<T, K, K>;

  void resize(int n, bool pooled) {
    pooled_ = pooled;
    sums_.resize(n);
    for (Vector* v : {&center_, &typical_}) v->setZero(n);
    for (Square* m : {&covariance_, &inverse_, &product_}) m->setZero(n, n);
    system_.setIdentity(n, n);
  }

  bool pooled() const { return pooled_; }

  // Of C_g^-1 and C_g^-1 x_g.
  GroupSums<T, K>& sums() { return sums_; }

  // From the sums. Adds to the log density of all estimates what integrating u_0 out adds to that
  // at u. False where it cannot be computed.
  bool finish(const Vector& scale, T& log_density) {
    if (!pooled_) return true;
    scale_ = scale;
    system_ = scale.asDiagonal() * sums_.square * scale.asDiagonal();
    system_.diagonal().array() += T(1);
    if (!cholesky_in_place(system_)) return false;
    center_ = scale.cwiseProduct(sums_.vector);
    solve_lower(system_, center_);
    solve_lower_transposed(system_, center_);
    log_density -= T(0.5) * center_.squaredNorm() + log_diagonal_sum<T>(system_);
    typical_ = scale.cwiseProduct(center_);
    return true;
  }

  const Vector& typical() const { return typical_; }  // T u

  void fill_covariance() {
    if (!pooled_) return;
    invert_lower(system_, inverse_);
    inner_square(inverse_, product_);
    covariance_ = scale_.asDiagonal() * product_ * scale_.asDiagonal();
  }
  const Square& covariance() const { return covariance_; }  // of T u_0, since fill_covariance()

  // The gradient in T, by Fisher's identity, from the sum of all alphas: E[u_0 (sum_g C_g^-1 (x_g -
  // T u_0))]_k = E(u_0)_k alpha_k - (Q T A^-1)_kk.
  Vector scale_gradient(const Vector& alpha_sum) {
    invert_lower(system_, inverse_);
    inner_square(inverse_, product_);  // A^-1
    inverse_ = sums_.square * scale_.asDiagonal();
    return center_.cwiseProduct(alpha_sum) -
           inverse_.cwiseProduct(product_.transpose()).rowwise().sum();
  }

  // u_0 from its exact law.
  void draw(RandomStream& random, Eigen::VectorXd& score) const {
    score.resize(center_.size());
    for (Eigen::Index k = 0; k < score.size(); ++k) score[k] = random.normal();
    if (!pooled_) return;
    solve_lower_transposed(system_, score);
    score += center_;
  }

 private:
  bool pooled_ = false;
  Vector scale_;              // T
  GroupSums<T, K> sums_;      // Q, and sum_g C_g^-1 x_g
  Square system_;             // Cholesky factor of A
  Square covariance_;         // of T u_0
  Vector center_, typical_;   // u, T u
  Square inverse_, product_;  // scratch
};

}  // namespace hmvn
