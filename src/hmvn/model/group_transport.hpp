// The part of that map that is each group's: its own scores, given the population.
#pragma once

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <cmath>

#include "hmvn/model/layout.hpp"
#include "hmvn/model/population.hpp"
#include "hmvn/model/reference.hpp"
#include "hmvn/model/triangular.hpp"

namespace hmvn {

// Scales come with a heterogeneity each, correlations with one for all. With J_cc = Q diag(l) Q' the eigenvectors of
// the correlations' block, found once, a root of B = I + H J H, correlations first, is
//   A = [Q D^-1     0 ]     D = diag(1 + h^2 l)^(-1/2),  M = Q' J_cs,
//       [H M' h D   R ]     R R' = I + H (J_ss - M' h^2 D^2 M) H,
// so that no population asks for a factorisation larger than K x K. Correlations are kept in the basis Q.
template <int K>
struct GroupBasis {
  static constexpr int C = K == Eigen::Dynamic ? Eigen::Dynamic : K * (K - 1) / 2;
  using Scales = Eigen::Matrix<double, K, 1>;
  using Correlations = Eigen::Matrix<double, C, 1>;

  bool own_scales, own_correlations;              // what is not a group's own counts as known: no information, h = 0
  Eigen::Matrix<double, C, C> rotation;           // Q
  Correlations eigenvalues;                       // l
  Eigen::Matrix<double, C, K> mixed;              // M
  Eigen::Matrix<double, K, K> scale_information;  // J_ss
  Scales scale_pull;
  Correlations correlation_pull;
  Eigen::MatrixXd scale_cross, correlation_cross;  // by shared score; empty if there are none

  GroupBasis(const Layout& layout, const QuadraticLikelihood& quadratic, int n_features)
      : own_scales(layout.n_own_scales > 0), own_correlations(layout.n_own_correlations > 0) {
    const int n_correlations = n_coordinates(n_features) - n_features;
    const auto& information = quadratic.information;
    rotation.setIdentity(n_correlations, n_correlations);
    eigenvalues.setZero(n_correlations);
    mixed.setZero(n_correlations, n_features);
    scale_information.setZero(n_features, n_features);
    scale_pull.setZero(n_features);
    correlation_pull.setZero(n_correlations);
    const Eigen::MatrixXd cross = select_columns(information, layout.shared_coordinates);
    if (own_scales) {
      scale_information = information.topLeftCorner(n_features, n_features);
      scale_pull = quadratic.pull.head(n_features);
      scale_cross = cross.topRows(n_features);
    }
    if (own_correlations) {
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(
          information.bottomRightCorner(n_correlations, n_correlations));
      rotation = solver.eigenvectors();
      eigenvalues = solver.eigenvalues().cwiseMax(0.0);
      correlation_pull = rotation.transpose() * quadratic.pull.tail(n_correlations);
      correlation_cross = rotation.transpose() * cross.bottomRows(n_correlations);
      if (own_scales) mixed = rotation.transpose() * information.bottomLeftCorner(n_correlations, n_features);
    }
  }

  static Eigen::MatrixXd select_columns(const Eigen::MatrixXd& matrix, const std::vector<int>& columns) {
    Eigen::MatrixXd out(matrix.rows(), columns.size());
    for (std::size_t j = 0; j < columns.size(); ++j) out.col(j) = matrix.col(columns[j]);
    return out;
  }
};

// One group's own scores.
template <class T, int K>
struct GroupTransport {
  static constexpr int C = GroupBasis<K>::C;
  using Scales = Eigen::Matrix<T, K, 1>;
  using Correlations = Eigen::Matrix<T, C, 1>;

  // of the population
  Scales scale_h;  // diagonal of H
  T correlation_h;
  Correlations shrink, reach, taken;   // D, h D^2, h^2 D^2
  Eigen::Matrix<T, K, K> schur, root;  // J_ss - M' h^2 D^2 M, R
  Correlations correlation_remainder;  // Q' r_c
  Scales scale_remainder;              // r_s - M' h^2 D^2 Q' r_c
  Correlations correlation_scaled;     // A^-1 H r
  Scales scale_scaled;
  T log_root;  // log |A|
  // of the position
  Correlations correlation_white, correlation_noise, pushed;  // A^-1 H r + x, Q' e_c, M H e_s
  Scales scale_noise;                                         // e_s
  T log_density;  // log prior of the own scores, with the Jacobian of the change of variables

  void resize(int n_features) {
    const int n_correlations = n_features * (n_features - 1) / 2;
    for (Scales* v : {&scale_h, &scale_remainder, &scale_scaled, &scale_noise}) v->setZero(n_features);
    for (Correlations* v : {&shrink, &reach, &taken, &correlation_remainder, &correlation_scaled, &correlation_white,
                            &correlation_noise, &pushed}) {
      v->setZero(n_correlations);
    }
    schur.setZero(n_features, n_features);
    root.setIdentity(n_features, n_features);
    correlation_h = log_root = log_density = T(0);
  }
};

// Fills what does not depend on the group's own position.
template <class T, int K>
void prepare(const Layout& layout, const GroupBasis<K>& basis, const PopulationPoint<T>& population,
             GroupTransport<T, K>& out) {
  using std::log;
  using std::sqrt;
  const Eigen::Index n_scales = out.scale_h.size(), n_correlations = out.shrink.size();
  const int first = layout.n_own_scales;  // own correlations follow own scales
  out.correlation_remainder = basis.correlation_pull.template cast<T>();
  out.scale_remainder = basis.scale_pull.template cast<T>();
  if (basis.own_scales) {
    for (Eigen::Index k = 0; k < n_scales; ++k) out.scale_h[k] = population.own[k].h;
    const auto center = population.center.template head<K>(n_scales);
    out.correlation_remainder.noalias() -= basis.mixed.template cast<T>().lazyProduct(center);
    out.scale_remainder.noalias() -= basis.scale_information.template cast<T>().lazyProduct(center);
  }
  if (basis.own_correlations) {
    out.correlation_h = population.own[first].h;
    out.pushed.noalias() = basis.rotation.transpose().template cast<T>().lazyProduct(
        population.center.template segment<GroupTransport<T, K>::C>(first, n_correlations));
    out.scale_remainder.noalias() -= basis.mixed.transpose().template cast<T>().lazyProduct(out.pushed);
    out.correlation_remainder -= basis.eigenvalues.template cast<T>().cwiseProduct(out.pushed);
  }
  if (basis.own_scales && layout.n_shared() > 0) {
    out.scale_remainder.noalias() -= basis.scale_cross.template cast<T>().lazyProduct(population.shared);
  }
  if (basis.own_correlations && layout.n_shared() > 0) {
    out.correlation_remainder.noalias() -= basis.correlation_cross.template cast<T>().lazyProduct(population.shared);
  }
  out.log_root = T(0);
  for (Eigen::Index m = 0; m < n_correlations; ++m) {
    const T h = out.correlation_h, squared = T(1) / (T(1) + h * h * T(basis.eigenvalues[m]));
    out.shrink[m] = sqrt(squared);
    out.reach[m] = h * squared;
    out.taken[m] = h * out.reach[m];
    out.correlation_scaled[m] = h * out.shrink[m] * out.correlation_remainder[m];
    out.log_root -= T(0.5) * log(squared);
  }
  out.pushed = out.taken.cwiseProduct(out.correlation_remainder);
  out.scale_remainder.noalias() -= basis.mixed.transpose().template cast<T>().lazyProduct(out.pushed);
  for (Eigen::Index j = 0; j < n_scales; ++j) {
    out.pushed = out.taken.cwiseProduct(basis.mixed.col(j).template cast<T>());
    for (Eigen::Index i = j; i < n_scales; ++i) {
      out.schur(i, j) = out.schur(j, i) =
          T(basis.scale_information(i, j)) - basis.mixed.col(i).template cast<T>().dot(out.pushed);
      out.root(i, j) = out.scale_h[i] * out.schur(i, j) * out.scale_h[j];
    }
    out.root(j, j) += T(1);
  }
  cholesky_in_place(out.root);  // I plus a semidefinite matrix; where it overflows the density is NaN
  out.log_root += log_diagonal_sum<T>(out.root);
  out.scale_scaled = out.scale_h.cwiseProduct(out.scale_remainder);
  solve_lower(out.root, out.scale_scaled);
}

// Writes the own scores of the group at position x_g into `score` (over all coordinates), and fills the rest of `out`.
template <class T, int K, class Position>
void own_scores(const Layout& layout, const GroupBasis<K>& basis, const PopulationPoint<T>& population,
                const Position& x, GroupTransport<T, K>& out, Eigen::Matrix<T, Eigen::Dynamic, 1>& score) {
  constexpr int C = GroupTransport<T, K>::C;
  const Eigen::Index n_scales = out.scale_h.size(), n_correlations = out.shrink.size();
  const int first = layout.n_own_scales;
  out.scale_noise = out.scale_scaled;
  out.correlation_white = out.correlation_scaled;
  if (basis.own_scales) out.scale_noise += x.template head<K>(n_scales);
  if (basis.own_correlations) out.correlation_white += x.template segment<C>(first, n_correlations);
  solve_lower_transposed(out.root, out.scale_noise);
  out.pushed.noalias() = basis.mixed.template cast<T>().lazyProduct(out.scale_h.cwiseProduct(out.scale_noise));
  out.correlation_noise = out.shrink.cwiseProduct(out.correlation_white) - out.reach.cwiseProduct(out.pushed);
  if (basis.own_scales) {
    score.template head<K>(n_scales) =
        population.center.template head<K>(n_scales) + out.scale_h.cwiseProduct(out.scale_noise);
  }
  if (basis.own_correlations) {
    score.template segment<C>(n_scales, n_correlations) = population.center.template segment<C>(first, n_correlations);
    score.template segment<C>(n_scales, n_correlations).noalias() +=
        basis.rotation.template cast<T>().lazyProduct(out.correlation_h * out.correlation_noise);
  }
  out.log_density = T(-0.5) * (out.scale_noise.squaredNorm() + out.correlation_noise.squaredNorm()) - out.log_root;
}

// Fills the scores of group g and returns the log prior of its own ones with the Jacobian of the change of variables.
template <class T, int K>
T evaluate(const Layout& layout, const GroupBasis<K>& basis, int g, const Eigen::Matrix<T, Eigen::Dynamic, 1>& x,
           const PopulationPoint<T>& population, GroupTransport<T, K>& out,
           Eigen::Matrix<T, Eigen::Dynamic, 1>& score) {
  for (int i = 0; i < layout.n_shared(); ++i) score[layout.shared_coordinates[i]] = population.shared[i];
  if (layout.n_own() == 0) return T(0);
  prepare(layout, basis, population, out);
  own_scores(layout, basis, population, x.segment(layout.own + g * layout.n_own(), layout.n_own()), out, score);
  return out.log_density;
}

// Gradients of one group's density: in its position, and in what the reverse pass through the population starts from.
template <int K>
struct TransportGradient {
  Eigen::Matrix<double, GroupBasis<K>::C, 1> score;  // Q' times the likelihood's in the correlations' scores
  Eigen::Matrix<double, GroupBasis<K>::C, 1> noise;  // in Q' e_c
  Eigen::Matrix<double, GroupBasis<K>::C, 1> white;  // in A^-1 H r + x of correlations, which is that in x
  Eigen::Matrix<double, K, 1> shift;                 // in H e_s
  Eigen::Matrix<double, K, 1> scale_white;           // in A^-1 H r + x of scales

  void resize(int n_features) {
    for (auto* v : {&score, &noise, &white}) v->setZero(n_features * (n_features - 1) / 2);
    for (auto* v : {&shift, &scale_white}) v->setZero(n_features);
  }
};

// The reverse of own_scores(): from the gradient of the likelihood in the group's scores to the gradient in x_g.
template <int K>
void own_gradient(const Layout& layout, const GroupBasis<K>& basis, const GroupTransport<double, K>& point,
                  const Eigen::VectorXd& of_score, TransportGradient<K>& out, Eigen::Ref<Eigen::VectorXd> gradient) {
  constexpr int C = GroupBasis<K>::C;
  const Eigen::Index n_scales = point.scale_h.size(), n_correlations = point.shrink.size();
  out.score.noalias() = basis.rotation.transpose().lazyProduct(of_score.template segment<C>(n_scales, n_correlations));
  out.noise = point.correlation_h * out.score - point.correlation_noise;
  out.white = point.shrink.cwiseProduct(out.noise);
  out.shift = of_score.template head<K>(n_scales);
  out.shift.noalias() -= basis.mixed.transpose().lazyProduct(point.reach.cwiseProduct(out.noise));
  out.scale_white = point.scale_h.cwiseProduct(out.shift) - point.scale_noise;
  solve_lower(point.root, out.scale_white);
  if (basis.own_scales) gradient.template head<K>(n_scales) = out.scale_white;
  if (basis.own_correlations) gradient.template segment<C>(layout.n_own_scales, n_correlations) = out.white;
}

// Scratch space of the reverse pass, for one group at a time.
template <int K>
struct TransportScratch {
  TransportGradient<K> own;
  Eigen::Matrix<double, K, K> root, inverse, square;
  Eigen::Matrix<double, K, 1> scale_remainder, of_h;
  Eigen::Matrix<double, GroupBasis<K>::C, 1> remainder, pushed, taken;

  void resize(int n_features) {
    own.resize(n_features);
    for (auto* m : {&root, &inverse, &square}) m->setZero(n_features, n_features);
    for (auto* v : {&scale_remainder, &of_h}) v->setZero(n_features);
    for (auto* v : {&remainder, &pushed, &taken}) v->setZero(n_features * (n_features - 1) / 2);
  }
};

// From the gradient in R, -tril(e w' + z q') - diag(1/R), to that in R R' as in Murray (2016), equation (10): the
// symmetric part of R^-T Phi(R' grad) R^-1, with Phi the lower triangle, its diagonal halved. Leaves it in `square`.
template <int K>
void differentiate_root(const GroupTransport<double, K>& point, TransportScratch<K>& scratch) {
  const Eigen::Index n = point.root.rows();
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j; i < n; ++i) {
      scratch.root(i, j) = -point.scale_noise[i] * scratch.own.scale_white[j] - scratch.of_h[i] * point.scale_scaled[j];
    }
    scratch.root(j, j) -= 1.0 / point.root(j, j);
  }
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j; i < n; ++i) {
      double sum = 0.0;
      for (Eigen::Index m = i; m < n; ++m) sum += point.root(m, i) * scratch.root(m, j);
      scratch.square(i, j) = sum;
    }
    scratch.square(j, j) *= 0.5;
  }
  invert_lower(point.root, scratch.inverse);
  multiply_lower(scratch.square, scratch.inverse, scratch.root);
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = 0; i < n; ++i) {
      double sum = 0.0;
      for (Eigen::Index m = i > j ? i : j; m < n; ++m) sum += scratch.inverse(m, i) * scratch.root(m, j);
      scratch.square(i, j) = sum;
    }
  }
  scratch.root = 0.5 * (scratch.square + scratch.square.transpose());
  scratch.square = scratch.root;
}

// The reverse of evaluate(): writes the gradient in x_g, and adds those in v, h and the shared scores.
template <int K>
void differentiate(const Layout& layout, const GroupBasis<K>& basis, int g, const GroupTransport<double, K>& point,
                   const Eigen::VectorXd& of_score, TransportScratch<K>& scratch, PopulationGradient& outer,
                   Eigen::VectorXd& gradient) {
  constexpr int C = GroupBasis<K>::C;
  for (int i = 0; i < layout.n_shared(); ++i) outer.shared[i] += of_score[layout.shared_coordinates[i]];
  if (layout.n_own() == 0) return;
  const Eigen::Index n_scales = point.scale_h.size(), n_correlations = point.shrink.size();
  const int first = layout.n_own_scales;
  TransportGradient<K>& own = scratch.own;
  own_gradient(layout, basis, point, of_score, own, gradient.segment(layout.own + g * layout.n_own(), layout.n_own()));
  // through A^-1 H r: scales, then correlations; `of_h` holds R^-T of the gradient in the scaled remainder
  scratch.of_h = own.scale_white;
  solve_lower_transposed(point.root, scratch.of_h);
  differentiate_root(point, scratch);
  scratch.scale_remainder = point.scale_h.cwiseProduct(scratch.of_h);
  scratch.pushed.noalias() = basis.mixed.lazyProduct(scratch.scale_remainder);
  scratch.taken = -point.correlation_remainder.cwiseProduct(scratch.pushed);
  scratch.remainder =
      point.correlation_h * point.shrink.cwiseProduct(own.white) - point.taken.cwiseProduct(scratch.pushed);
  scratch.of_h = scratch.of_h.cwiseProduct(point.scale_remainder) + own.shift.cwiseProduct(point.scale_noise);
  // through R R' = I + H P H, P the Schur complement
  for (Eigen::Index i = 0; i < n_scales; ++i) {
    for (Eigen::Index j = 0; j < n_scales; ++j) {
      scratch.of_h[i] += 2.0 * scratch.square(i, j) * point.schur(i, j) * point.scale_h[j];
      scratch.square(i, j) *= point.scale_h[i] * point.scale_h[j];
    }
  }
  for (Eigen::Index j = 0; j < n_scales; ++j) {
    scratch.pushed.noalias() = basis.mixed.lazyProduct(scratch.square.col(j));
    scratch.taken -= basis.mixed.col(j).cwiseProduct(scratch.pushed);
  }
  if (basis.own_scales) {
    outer.h.template head<K>(n_scales) += scratch.of_h;
    outer.center.template head<K>(n_scales) += of_score.template head<K>(n_scales);
    outer.center.template head<K>(n_scales).noalias() -= basis.scale_information.lazyProduct(scratch.scale_remainder);
    outer.center.template head<K>(n_scales).noalias() -= basis.mixed.transpose().lazyProduct(scratch.remainder);
    if (layout.n_shared() > 0)
      outer.shared.noalias() -= basis.scale_cross.transpose().lazyProduct(scratch.scale_remainder);
  }
  if (!basis.own_correlations) return;
  double of_h = own.score.dot(point.correlation_noise);
  for (Eigen::Index m = 0; m < n_correlations; ++m) {
    const double h = point.correlation_h, shrink = point.shrink[m], squared = shrink * shrink;
    const double of_shrink =
        own.noise[m] * point.correlation_white[m] + h * point.correlation_remainder[m] * own.white[m] + 1.0 / shrink;
    of_h += shrink * point.correlation_remainder[m] * own.white[m] -
            of_shrink * h * basis.eigenvalues[m] * shrink * squared -
            own.noise[m] * point.pushed[m] * squared * (2.0 * squared - 1.0) +
            2.0 * scratch.taken[m] * h * squared * squared;
  }
  outer.h[first] += of_h;
  scratch.pushed = -basis.eigenvalues.cwiseProduct(scratch.remainder);
  scratch.pushed.noalias() -= basis.mixed.lazyProduct(scratch.scale_remainder);
  auto center = outer.center.template segment<C>(first, n_correlations);
  center += of_score.template segment<C>(n_scales, n_correlations);
  center.noalias() += basis.rotation.lazyProduct(scratch.pushed);
  if (layout.n_shared() > 0)
    outer.shared.noalias() -= basis.correlation_cross.transpose().lazyProduct(scratch.remainder);
}

}  // namespace hmvn
