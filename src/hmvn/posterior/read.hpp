// Reads a position of a unit's posterior in the user's terms.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "hmvn/math/packed.hpp"
#include "hmvn/model/draw.hpp"
#include "hmvn/posterior/density.hpp"

namespace hmvn {

// Draws means and population scores given the rest, and computes lp__ (S5).
template <int K>
class PosteriorReader {
 public:
  using Work = DensityWork<double, K>;
  using Vector = Eigen::Matrix<double, K, 1>;

  explicit PosteriorReader(const Density<double, K>& density)
      : density_(density), model_(density.model()), layout_(density.coordinates().layout) {
    population_point_.resize(model_.n_features());
  }

  void operator()(Work& work, RandomStream& random, Draw& out) {
    const int n_features = model_.n_features();
    out.mean.resize(n_features, layout_.n_groups);
    out.factor.resize(packed_size(n_features), layout_.n_groups);
    work.means.draw_population(random, mean_score_);
    population_ = work.means.population_scale().cwiseProduct(mean_score_);
    for (int g = 0; g < layout_.n_groups; ++g) {
      work.means.draw_mean(g, density_.groups()[g], work.likelihoods[g], population_, random,
                           out.mean.col(g));
    }
    out.log_likelihood = log_likelihood(work, out.mean);
    out.log_prior = log_prior(work, out.mean);
    for (int g = 0; g < layout_.n_groups; ++g) {
      out.mean.col(g) += model_.mean_location;
      pack_factor(work.points[g], out.factor.col(g));
    }
    read_population(work, out);
  }

 private:
  template <class Packed>
  void pack_factor(const CovariancePoint<double, K>& point, Packed&& packed) const {
    if (density_.frame().raw) {
      pack_lower(point.factor, packed);
    } else {
      pack_lower(lower_factor(point.root), packed);
    }
  }

  // lp__ as (S5) defines it: the joint density of data, mu, sigma, L, population scores and h, with
  // means explicit and no Jacobian of the sampler's change of variables. Means are measured from m.
  double log_likelihood(const Work& work, const Eigen::MatrixXd& means) const {
    const int n_features = model_.n_features();
    double sum = 0.0;
    Vector residual(n_features);
    Eigen::Matrix<double, K, K> root(n_features, n_features);
    for (int g = 0; g < layout_.n_groups; ++g) {
      const GroupLikelihood<double, K>& like = work.likelihoods[g];
      const GroupStatistics& group = density_.groups()[g];
      root = like.spread;
      cholesky_in_place(root);
      residual = (like.estimate - means.col(g)).cwiseProduct(group.observed);
      solve_lower(root, residual);
      sum += like.within - 0.5 * (log_2pi * group.n_observed + residual.squaredNorm()) -
             log_diagonal_sum<double>(root);
    }
    return sum;
  }

  double log_prior(const Work& work, const Eigen::MatrixXd& means) const {
    double sum = 0.0;
    add_mean_prior(work, means, sum);
    add_population_prior(work, sum);
    for (int g = 0; g < (layout_.n_own() == 0 ? 1 : layout_.n_groups); ++g) {
      const CovariancePoint<double, K>& point = work.points[g];
      for (int i = 0; i < layout_.n_own(); ++i) {
        const int c = layout_.own_coordinates[i];
        const double score = point.score[c], h = work.population.own[i].h;
        sum += log_normal_density((score - work.population.center[i]) / h) - std::log(h) -
               log_normal_density(score) + natural_log_density(point, c);
      }
    }
    for (int c : layout_.common_coordinates) sum += natural_log_density(work.points[0], c);
    return sum;
  }

  void add_mean_prior(const Work& work, const Eigen::MatrixXd& means, double& sum) const {
    const int n_features = model_.n_features();
    for (int g = 0; g < layout_.n_groups && !model_.mean.complete(); ++g) {
      for (int k = 0; k < n_features; ++k) {
        const double sd = std::sqrt(work.means.group_variance()[k]);
        sum += log_normal_density((means(k, g) - population_[k]) / sd) - std::log(sd);
      }
    }
    for (int k = 0; k < n_features; ++k) {
      if (model_.mean.partial()) sum += log_normal_density(mean_score_[k]);
      if (model_.mean.complete()) {
        sum +=
            log_normal_density(means(k, 0) / model_.mean_scale[k]) - std::log(model_.mean_scale[k]);
      }
      const int h = layout_.mean_heterogeneity[k];
      if (h != Layout::not_learned) sum += log_beta_density(h, work);
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

  // log density of sigma_k, or of the entry L_ij that a partial correlation makes, under its own
  // prior (P2), (P3).
  double natural_log_density(const CovariancePoint<double, K>& point, int c) const {
    const int n_features = model_.n_features();
    if (c < n_features) return model_.scale_priors[c].log_density_of_scale(point.value[c]);
    int i = 1;
    while (first_correlation(n_features, i + 1) <= c) ++i;
    const int row = first_correlation(n_features, i), j = c - row;
    return log_entry_density(model_.correlation_priors[j], j, point.value.segment(row, i));
  }

  void read_population(const Work& work, Draw& out) {
    const int n_features = model_.n_features();
    out.mean0 = model_.mean_location + population_;
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
      const Eigen::MatrixXd factor = lower_factor(point.root);
      out.scale0 = factor.rowwise().norm();
      pack_lower((out.scale0.cwiseInverse().asDiagonal() * factor).eval(), out.correlation_factor0);
    }
    out.h_mean.resize(n_features);
    out.h_scale.setOnes(n_features);
    for (int k = 0; k < n_features; ++k) out.h_mean[k] = work.population.mean[k].h;
    for (int i = 0; i < layout_.n_own(); ++i) {
      const int c = layout_.own_coordinates[i];
      (c < n_features ? out.h_scale[c] : out.h_correlation) = work.population.own[i].h;
    }
  }

  const Density<double, K>& density_;
  const Model& model_;
  const Layout& layout_;
  Eigen::VectorXd mean_score_;  // u_0 of the means
  Vector population_;           // T u_0
  CovariancePoint<double, K> population_point_;
};

}  // namespace hmvn
