// The reverse of group_transport.hpp: from the likelihood's gradient in a group's scores to that in
// its position and in the population.
#pragma once

#include <Eigen/Core>

#include "hmvn/model/group_transport.hpp"

namespace hmvn {

// Gradients of one group's density: in its position, and in what the reverse pass through the
// population starts from.
template <int K>
struct TransportGradient {
  Eigen::Matrix<double, GroupBasis<K>::C, 1>
      score;  // Q' times the likelihood's in the correlations' scores
  Eigen::Matrix<double, GroupBasis<K>::C, 1> noise;  // in Q' e_c
  Eigen::Matrix<double, GroupBasis<K>::C, 1>
      white;                                // in A^-1 H r + x of correlations, which is that in x
  Eigen::Matrix<double, K, 1> shift;        // in H e_s
  Eigen::Matrix<double, K, 1> scale_white;  // in A^-1 H r + x of scales

  void resize(int n_features) {
    for (auto* v : {&score, &noise, &white}) v->setZero(n_correlations(n_features));
    for (auto* v : {&shift, &scale_white}) v->setZero(n_features);
  }
};

// The reverse of own_scores(): from the gradient of the likelihood in the group's scores to the
// gradient in x_g.
template <int K>
void own_gradient(const Layout& layout, const GroupBasis<K>& basis,
                  const GroupTransport<double, K>& point, const Eigen::VectorXd& of_score,
                  TransportGradient<K>& out, Eigen::Ref<Eigen::VectorXd> gradient) {
  constexpr int C = GroupBasis<K>::C;
  const Eigen::Index n_scales = point.scale_h.size(), n_pairs = point.shrink.size();
  out.score.noalias() =
      basis.rotation.transpose().lazyProduct(of_score.template segment<C>(n_scales, n_pairs));
  out.noise = point.correlation_h * out.score - point.correlation_noise;
  out.white = point.shrink.cwiseProduct(out.noise);
  out.shift = of_score.template head<K>(n_scales);
  out.shift.noalias() -= basis.mixed.transpose().lazyProduct(point.reach.cwiseProduct(out.noise));
  out.scale_white = point.scale_h.cwiseProduct(out.shift) - point.scale_noise;
  solve_lower(point.root, out.scale_white);
  if (basis.own_scales) gradient.template head<K>(n_scales) = out.scale_white;
  if (basis.own_correlations)
    gradient.template segment<C>(layout.n_own_scales, n_pairs) = out.white;
}

// The reverse pass of one group at a time: gradients in what its change of variables goes through,
// and work space.
template <int K>
struct TransportScratch {
  using Scales = Eigen::Matrix<double, K, 1>;
  using Correlations = Eigen::Matrix<double, GroupBasis<K>::C, 1>;
  TransportGradient<K> own;
  Scales scale_pulled;                        // in H times the remainder of scales
  Scales scale_remainder, scale_h;            // in the remainder of scales; in the diagonal of H
  Correlations correlation_remainder, taken;  // in the remainder of correlations; in h^2 D^2
  Eigen::Matrix<double, K, K> square;         // in R R', symmetric
  Eigen::Matrix<double, K, K> root, inverse;  // work space
  Correlations pushed;

  void resize(int n_features) {
    own.resize(n_features);
    for (auto* m : {&root, &inverse, &square}) m->setZero(n_features, n_features);
    for (auto* v : {&scale_pulled, &scale_remainder, &scale_h}) v->setZero(n_features);
    for (auto* v : {&correlation_remainder, &taken, &pushed})
      v->setZero(n_correlations(n_features));
  }
};

// From the gradient in R, -tril(e w' + z q') - diag(1/R), to that in R R' as in Murray (2016),
// equation (10): the symmetric part of R^-T Phi(R' grad) R^-1, with Phi the lower triangle, its
// diagonal halved. Leaves it in `square`.
template <int K>
void differentiate_root(const GroupTransport<double, K>& point, TransportScratch<K>& scratch) {
  const Eigen::Index n = point.root.rows();
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j; i < n; ++i) {
      scratch.root(i, j) = -point.scale_noise[i] * scratch.own.scale_white[j] -
                           scratch.scale_pulled[i] * point.scale_scaled[j];
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
      for (Eigen::Index m = i > j ? i : j; m < n; ++m)
        sum += scratch.inverse(m, i) * scratch.root(m, j);
      scratch.square(i, j) = sum;
    }
  }
  scratch.root = 0.5 * (scratch.square + scratch.square.transpose());
  scratch.square = scratch.root;
}

// Through A^-1 H r, from the gradient in it, which is that in x, to those in r and in all that made
// it.
template <int K>
void differentiate_scaled(const GroupBasis<K>& basis, const GroupTransport<double, K>& point,
                          TransportScratch<K>& scratch) {
  const TransportGradient<K>& own = scratch.own;
  scratch.scale_pulled = own.scale_white;
  solve_lower_transposed(point.root, scratch.scale_pulled);
  scratch.scale_h = scratch.scale_pulled.cwiseProduct(point.scale_remainder) +
                    own.shift.cwiseProduct(point.scale_noise);
  scratch.scale_remainder = point.scale_h.cwiseProduct(scratch.scale_pulled);
  scratch.pushed.noalias() = basis.mixed.lazyProduct(scratch.scale_remainder);
  scratch.taken = -point.correlation_remainder.cwiseProduct(scratch.pushed);
  scratch.correlation_remainder = point.correlation_h * point.shrink.cwiseProduct(own.white) -
                                  point.taken.cwiseProduct(scratch.pushed);
}

// Through R R' = I + H P H with P = J_ss - M' h^2 D^2 M.
template <int K>
void differentiate_schur(const GroupBasis<K>& basis, const GroupTransport<double, K>& point,
                         TransportScratch<K>& scratch) {
  const Eigen::Index n_scales = point.scale_h.size();
  for (Eigen::Index i = 0; i < n_scales; ++i) {
    for (Eigen::Index j = 0; j < n_scales; ++j) {
      scratch.scale_h[i] += 2.0 * scratch.square(i, j) * point.schur(i, j) * point.scale_h[j];
      scratch.square(i, j) *= point.scale_h[i] * point.scale_h[j];
    }
  }
  for (Eigen::Index j = 0; j < n_scales; ++j) {
    scratch.pushed.noalias() = basis.mixed.lazyProduct(scratch.square.col(j));
    scratch.taken -= basis.mixed.col(j).cwiseProduct(scratch.pushed);
  }
}

// The gradient in the correlations' h: dD/dh = -h l D^3, d(h D^2)/dh = D^2 (2 D^2 - 1), d(h^2
// D^2)/dh = 2 h D^4.
template <int K>
double correlation_h_gradient(const GroupBasis<K>& basis, const GroupTransport<double, K>& point,
                              const TransportScratch<K>& scratch) {
  const TransportGradient<K>& own = scratch.own;
  const double h = point.correlation_h;
  double sum = own.score.dot(point.correlation_noise);
  for (Eigen::Index m = 0; m < point.shrink.size(); ++m) {
    const double shrink = point.shrink[m], squared = shrink * shrink;
    const double of_scaled = point.correlation_remainder[m] * own.white[m];
    const double of_shrink =
        own.noise[m] * point.correlation_white[m] + h * of_scaled + 1.0 / shrink;
    const double of_reach = -own.noise[m] * point.pushed[m];
    sum += shrink * of_scaled - of_shrink * h * basis.eigenvalues[m] * shrink * squared +
           of_reach * squared * (2.0 * squared - 1.0) +
           2.0 * scratch.taken[m] * h * squared * squared;
  }
  return sum;
}

// The reverse of evaluate(): writes the gradient in x_g, and adds those in v, h and the shared
// scores.
template <int K>
void differentiate(const Layout& layout, const GroupBasis<K>& basis, int g,
                   const GroupTransport<double, K>& point, const Eigen::VectorXd& of_score,
                   TransportScratch<K>& scratch, PopulationGradient& outer,
                   Eigen::VectorXd& gradient) {
  for (int i = 0; i < layout.n_shared(); ++i)
    outer.shared[i] += of_score[layout.shared_coordinates[i]];
  if (layout.n_own() == 0) return;
  const Eigen::Index n_scales = point.scale_h.size(), n_pairs = point.shrink.size();
  const bool shares = layout.n_shared() > 0;
  own_gradient(layout, basis, point, of_score, scratch.own,
               gradient.segment(layout.own + g * layout.n_own(), layout.n_own()));
  differentiate_scaled(basis, point, scratch);
  differentiate_root(point, scratch);
  differentiate_schur(basis, point, scratch);
  if (basis.own_scales) {
    outer.h.template head<K>(n_scales) += scratch.scale_h;
    auto center = outer.center.template head<K>(n_scales);
    center += of_score.template head<K>(n_scales);
    center.noalias() -= basis.scale_information.lazyProduct(scratch.scale_remainder);
    center.noalias() -= basis.mixed.transpose().lazyProduct(scratch.correlation_remainder);
    if (shares)
      outer.shared.noalias() -= basis.scale_cross.transpose().lazyProduct(scratch.scale_remainder);
  }
  if (basis.own_correlations) {
    const int first = layout.n_own_scales;
    outer.h[first] += correlation_h_gradient(basis, point, scratch);
    auto center = outer.center.template segment<GroupBasis<K>::C>(first, n_pairs);
    scratch.pushed = -basis.eigenvalues.cwiseProduct(scratch.correlation_remainder);
    scratch.pushed.noalias() -= basis.mixed.lazyProduct(scratch.scale_remainder);
    center += of_score.template segment<GroupBasis<K>::C>(n_scales, n_pairs);
    center.noalias() += basis.rotation.lazyProduct(scratch.pushed);
    if (shares)
      outer.shared.noalias() -=
          basis.correlation_cross.transpose().lazyProduct(scratch.correlation_remainder);
  }
}

}  // namespace hmvn
