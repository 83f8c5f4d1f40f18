// Reads a position of a unit's posterior in the user's terms.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <vector>

#include "hmvn/math/packed.hpp"
#include "hmvn/model/draw.hpp"
#include "hmvn/posterior/density.hpp"

namespace hmvn {

// Draws coefficients and population scores given the rest, and computes lp__ (S5).
template <int K>
class PosteriorReader {
 public:
  using Work = DensityWork<double, K>;

  explicit PosteriorReader(const Density<double, K>& density)
      : density_(density), model_(density.model()), layout_(density.coordinates().layout) {
    population_point_.resize(model_.n_features());
  }

  void operator()(Work& work, RandomStream& random, Draw& out) {
    const int n_features = model_.n_features();
    out.factor.resize(packed_size(n_features), layout_.n_groups);
    work.coefficients.draw_population(random, score_, population_);
    drawn_.resize(model_.n_coefficients(), layout_.n_groups);
    set_constants(work);
    of_bundle_.resize(static_cast<std::size_t>(work.bundles.n_bundles()));
    const std::uint64_t seed = random.next();
    work.bundles.for_each([&](int b) {
      LogDensities sum;
      const Range groups = work.bundles.groups(b);
      for (int g = groups.begin; g < groups.end(); ++g) {
        RandomStream of_group(seed, static_cast<std::uint64_t>(g), 0);
        work.coefficients.draw(g, population_, of_group, drawn_.col(g));
        sum.likelihood += work.coefficients.log_likelihood(g, drawn_.col(g));
        sum.prior += coefficient_prior(drawn_.col(g)) + own_prior(g, work);
        pack_factor(work.points[g], out.factor.col(g));
      }
      of_bundle_[b] = sum;
    });
    out.log_likelihood = 0.0;
    out.log_prior = shared_prior(work);
    for (const LogDensities& bundle : of_bundle_) {
      out.log_likelihood += bundle.likelihood;
      out.log_prior += bundle.prior;
    }
    drawn_.colwise() += model_.coefficient_location;
    out.mean = drawn_.topRows(n_features);
    out.slope = drawn_.bottomRows(drawn_.rows() - n_features);
    read_population(work, out);
  }

 private:
  // The parts of lp__ as (S5) defines it: the joint density of data, coefficients, sigma, L,
  // population scores and h, with coefficients explicit and no Jacobian of the sampler's change of
  // variables. Coefficients are measured from their prior locations.
  struct LogDensities {
    double likelihood = 0.0, prior = 0.0;
  };

  template <class Packed>
  void pack_factor(const CovariancePoint<double, K>& point, Packed&& packed) const {
    if (density_.frame().raw) {
      pack_lower(point.factor, packed);
    } else {
      pack_lower(lower_factor(point.root), packed);
    }
  }

  // What the priors of all groups have in common.
  void set_constants(const Work& work) {
    root_ = work.coefficients.prior_root();
    log_root_ = log_h_ = 0.0;
    for (int k = 0; k < root_.rows(); ++k) {
      if (!model_.coefficients[k].complete()) log_root_ += std::log(root_(k, k));
    }
    for (int i = 0; i < layout_.n_own(); ++i) log_h_ += std::log(work.population.own[i].h);
  }

  // Of one group's coefficients, Normal(T u_0, D) where they are not completely pooled; there they
  // are s u_0.
  template <class Coefficients>
  double coefficient_prior(const Coefficients& coefficients) const {
    double sum = -log_root_;
    Eigen::VectorXd residual = coefficients - population_;
    for (int k = 0; k < residual.size(); ++k) {
      if (model_.coefficients[k].complete()) continue;
      for (int j = 0; j < k; ++j) residual[k] -= root_(k, j) * residual[j];
      residual[k] /= root_(k, k);
      sum += log_normal_density(residual[k]);
    }
    return sum;
  }

  // Of what a group has to itself of its covariance matrix.
  double own_prior(int g, const Work& work) const {
    const CovariancePoint<double, K>& point = work.points[g];
    double sum = natural_log_density(point, layout_.own_coordinates) - log_h_;
    for (int i = 0; i < layout_.n_own(); ++i) {
      const double score = point.score[layout_.own_coordinates[i]];
      const double deviation = (score - work.population.center[i]) / work.population.own[i].h;
      sum += log_normal_density(deviation) - log_normal_density(score);
    }
    return sum;
  }

  // Of what groups share.
  double shared_prior(const Work& work) const {
    double sum = 0.0;
    for (int k = 0; k < model_.n_coefficients(); ++k) {
      const Block& block = model_.coefficients[k];
      if (block.pooled()) sum += log_normal_density(score_[k]);
      if (block.complete()) sum -= std::log(model_.coefficient_scale[k]);
      const int h = layout_.coefficient_heterogeneity[k];
      if (h != Layout::not_learned) sum += log_beta_density(h, work);
    }
    add_between_prior(work.population.between, sum);
    add_population_prior(work, sum);
    return sum + natural_log_density(work.points[0], layout_.common_coordinates);
  }

  void add_between_prior(const BetweenPoint<double>& between, double& sum) const {
    for (int i = 1; i < between.factor.rows(); ++i) {
      const int row = n_correlations(i);
      sum += log_row_density(model_.between_priors, i, [&](int j) {
        return PartialCorrelationPrior::log_cosh(between.value[row + j]);
      });
    }
  }

  void add_population_prior(const Work& work, double& sum) const {
    int last = Layout::not_learned;  // an h that several coordinates have counts once
    for (int p = 0; p < layout_.population.size; ++p) {
      sum += log_normal_density(work.population.score[p]);
      const int h = layout_.own_heterogeneity[layout_.partial[p]];
      if (h != last) sum += log_beta_density(h, work);
      last = h;
    }
  }

  double log_beta_density(int learned, const Work& work) const {
    const Heterogeneity<double>& at = work.population.learned[learned];
    const double complement = at.weight * at.weight / (1.0 + at.h);
    return layout_.learned[learned].log_density(std::log(at.h), std::log(complement));
  }

  // log density of all sigma_k, and of the entries L_ij that partial correlations make, under their
  // own priors (P2), (P3), of those that are among the coordinates.
  double natural_log_density(const CovariancePoint<double, K>& point,
                             const std::vector<int>& coordinates) const {
    double sum = 0.0;
    if (coordinates.empty()) return sum;
    const int n_features = model_.n_features();
    for (int k = 0; k < n_features && coordinates.front() < n_features; ++k) {
      sum += model_.scale_priors[k].log_density_of_scale(point.value[k]);
    }
    for (int i = 1; i < n_features && coordinates.back() >= n_features; ++i) {
      const int row = first_correlation(n_features, i);
      sum += log_row_density(model_.correlation_priors, i,
                             [&](int j) { return -std::log(point.rest[row + j]); });
    }
    return sum;
  }

  void read_population(const Work& work, Draw& out) {
    const int n_features = model_.n_features();
    const Eigen::VectorXd typical = model_.coefficient_location + population_;
    out.mean0 = typical.head(n_features);
    out.slope0 = typical.tail(typical.size() - n_features);
    CovariancePoint<double, K>& point = population_point_;
    point.score.setZero();
    for (int p : layout_.partial) {
      point.score[layout_.own_coordinates[p]] = work.population.center[p];
    }
    for (int i = 0; i < layout_.common.size; ++i) {
      point.score[layout_.common_coordinates[i]] = work.population.common[i];
    }
    fill_factor(model_.maps, point);
    out.correlation_factor0.resize(packed_size(n_features));
    if (density_.frame().raw) {
      out.scale0 = point.value.head(n_features).array().exp();
      pack_lower((out.scale0.cwiseInverse().asDiagonal() * point.factor).eval(),
                 out.correlation_factor0);
    } else {
      density_.frame().fill_root(point);
      const Eigen::Matrix<double, K, K> factor = lower_factor(point.root);
      out.scale0 = factor.rowwise().norm();
      pack_lower((out.scale0.cwiseInverse().asDiagonal() * factor).eval(), out.correlation_factor0);
    }
    out.h_scale.setOnes(n_features);
    Eigen::VectorXd h(model_.n_coefficients());
    for (int k = 0; k < h.size(); ++k) h[k] = work.population.coefficient[k].h;
    out.h_mean = h.head(n_features);
    out.h_slope = h.tail(h.size() - n_features);
    out.between_factor = work.population.between.factor;
    for (int i = 0; i < layout_.n_own(); ++i) {
      const int c = layout_.own_coordinates[i];
      (c < n_features ? out.h_scale[c] : out.h_correlation) = work.population.own[i].h;
    }
  }

  const Density<double, K>& density_;
  const Model& model_;
  const Layout& layout_;
  Eigen::VectorXd score_, population_;   // u_0 of the coefficients, T u_0
  Eigen::MatrixXd root_;                 // H
  double log_root_ = 0.0, log_h_ = 0.0;  // sums of logs: of its diagonal, of own coordinates' h
  Eigen::MatrixXd drawn_;                // coefficients, a column a group
  std::vector<LogDensities> of_bundle_;
  CovariancePoint<double, K> population_point_;
};

}  // namespace hmvn
