// The posterior of a sampling unit: the groups that share a quantity. This is the target of the
// sampler, as a whole or in blocks.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/draw.hpp"
#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/model/group_basis.hpp"
#include "hmvn/model/group_transport.hpp"
#include "hmvn/model/group_transport_gradient.hpp"
#include "hmvn/model/layout.hpp"
#include "hmvn/model/mean_block.hpp"
#include "hmvn/model/model.hpp"
#include "hmvn/model/population.hpp"
#include "hmvn/model/transport_plan.hpp"

namespace hmvn {

// K is the number of features, or Eigen::Dynamic.
//
// As a whole: operator(). In blocks, which is what the sampler uses, since groups are independent
// given what they share:
//   settle(position)   computes everything at a position and stays there;
//   shared(x)          the same with another value of the shared block (h, population, shared
//   scores), the groups' own
//                      coordinates held; shared_gradient() is in this block;
//   condition(random)  draws the population of the means, integrated out so far: from here on
//   groups are independent; group(g, x)        the density of a group's own coordinates, all else
//   held; group_gradient() is in these; gather()           the density of the whole where groups
//   have gone, to be called after the last of them.
// here() and group_here(g) are the densities at the point reached.
template <int K>
class UnitPosterior {
 public:
  // Keeps references to the model and to its plan.
  UnitPosterior(const Model& model, const TransportPlan& plan, std::vector<GroupStatistics> groups)
      : model_(model),
        groups_(std::move(groups)),
        layout_(make_layout(model, static_cast<int>(groups_.size()))),
        plan_(plan),
        bases_(plan.groups.begin(), plan.groups.end()) {
    resize(work_);
    outer_.resize(model_, layout_);
    scratch_.resize(model_.n_features());
    moments_.resize(model_.n_features());
    factor_gradient_.setZero(model_.n_features(), model_.n_features());
    factor_gradient_sum_ = factor_gradient_;
    score_gradient_.setZero(n_coordinates(model_.n_features()));
    position_.setZero(dimension());
    whole_gradient_.setZero(dimension());
    population_mean_.setZero(model_.n_features());
  }

  Eigen::Index dimension() const { return layout_.dimension(); }
  int n_groups() const { return static_cast<int>(groups_.size()); }
  const Eigen::VectorXd& position() const { return position_; }
  const Layout& layout() const { return layout_; }

  // Some rows, but few for a covariance matrix of its own, counted in cells.
  bool is_scarce(int g) const {
    double cells = 0.0;
    for (const PatternStatistics& pattern : groups_[g].patterns)
      cells += pattern.n * pattern.n_observed;
    return cells > 0.0 && cells < model_.n_features() * (model_.n_features() + 10.0);
  }

  // log density of the sampler's position, for any scalar type; means integrated out.
  template <class T>
  T log_density(const Eigen::Matrix<T, Eigen::Dynamic, 1>& position) const {
    Work<T> work;
    resize(work);
    return forward(position, work);
  }

  // The same in double precision, with its gradient.
  double operator()(const Eigen::VectorXd& position, Eigen::VectorXd& gradient) {
    settle(position);
    const double value = look(gradient);
    if (!std::isfinite(value)) gradient.setZero(position.size());
    return value;
  }

  double settle(const Eigen::VectorXd& position) {
    position_ = position;
    return value_ = forward(position_, work_);
  }

  double shared(const Eigen::VectorXd& x) {
    position_.head(layout_.own) = x;
    return value_ = forward(position_, work_);
  }

  // False if it is not finite.
  bool shared_gradient(Eigen::VectorXd& gradient) {
    const bool fine = std::isfinite(look(whole_gradient_));
    gradient = whole_gradient_.head(layout_.own);
    return fine;
  }

  // The density where all groups are now, after group() has moved them.
  double gather() {
    double log_density = work_.population.log_density;
    for (int g = 0; g < n_groups(); ++g) {
      if (g == 0 || !one_covariance()) log_density += work_.transports[g].log_density;
      log_density += work_.likelihoods[g].within;
    }
    double of_means = 0.0;
    const bool fine = combine(groups_, work_.likelihoods, work_.means, of_means);
    return value_ = fine ? log_density + of_means : -std::numeric_limits<double>::infinity();
  }

  double here() const { return value_; }

  void condition(RandomStream& random) {
    draw_population_mean(work_.means, random, mean_score_);
    population_mean_ = work_.means.population_scale.cwiseProduct(mean_score_);
  }

  // Given the population, a group's mean is integrated out of its own density.
  double group(int g, const Eigen::VectorXd& x) {
    position_.segment(layout_.own + g * layout_.n_own(), layout_.n_own()) = x;
    CovariancePoint<double, K>& point = work_.points[g];
    own_scores(layout_, bases_[g], work_.population, x, work_.transports[g], point.score);
    MeanBlock<double, K>& means = work_.means;
    if (!fill(g, point, work_.likelihoods[g]) ||
        !invert_group(groups_[g], work_.likelihoods[g], means.group_variance, means.square,
                      means.square2, means.precisions[g])) {
      return -std::numeric_limits<double>::infinity();
    }
    return group_here(g);
  }

  double group_here(int g) {
    MeanBlock<double, K>& means = work_.means;
    means.work = work_.likelihoods[g].estimate - population_mean_;
    const double value =
        work_.transports[g].log_density + work_.likelihoods[g].within +
        estimate_log_density(groups_[g], means.precisions[g], means.work, means.pulls[g]);
    return std::isfinite(value) ? value : -std::numeric_limits<double>::infinity();
  }

  bool group_gradient(int g, Eigen::VectorXd& gradient) {
    MeanBlock<double, K>& means = work_.means;
    fill_moments<K>(groups_[g], work_.likelihoods[g], means.precisions[g].inverse, means.pulls[g],
                    means.group_variance, nullptr, means.square, moments_);
    differentiate(groups_[g], work_.points[g].factor, work_.likelihoods[g], moments_,
                  factor_gradient_);
    score_gradient_.setZero();
    pull_back_factor(work_.points[g], factor_gradient_, score_gradient_);
    own_gradient(layout_, bases_[g], work_.transports[g], score_gradient_, scratch_.own, gradient);
    return gradient.allFinite();
  }

  // Reads the position where settled in the user's terms; the means are drawn from their exact law
  // given the rest.
  void draw(RandomStream& random, Draw& out) {
    const int n_features = model_.n_features();
    out.mean.resize(n_features, n_groups());
    out.factor.resize(n_coordinates(n_features), n_groups());
    draw_population_mean(work_.means, random, mean_score_);
    draw_means(groups_, work_.likelihoods, work_.means, mean_score_, random, out.mean);
    score_log_joint(out);
    for (int g = 0; g < n_groups(); ++g) {
      out.mean.col(g) += model_.mean_location;
      pack_lower(work_.points[g].factor, out.factor.col(g));
    }
    read_population(out);
  }

 private:
  template <class T>
  struct Work {
    PopulationPoint<T> population;
    std::vector<GroupTransport<T, K>> transports;
    std::vector<CovariancePoint<T, K>> points;
    std::vector<GroupLikelihood<T, K>> likelihoods;
    MeanBlock<T, K> means;
  };

  template <class T>
  void resize(Work<T>& work) const {
    const int n_features = model_.n_features();
    work.population.resize(model_, layout_);
    work.transports.resize(groups_.size());
    work.points.resize(groups_.size());
    work.likelihoods.resize(groups_.size());
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      work.transports[g].resize(n_features);
      work.points[g].resize(n_features);
      work.likelihoods[g].resize(n_features, groups_[g].patterns.size());
    }
    work.means.resize(n_features, groups_.size());
    work.means.pooled = model_.mean.pooling != Pooling::none;
  }

  bool one_covariance() const { return layout_.n_own() == 0; }

  // A group's factor and likelihood from its scores.
  template <class T>
  bool fill(std::size_t g, CovariancePoint<T, K>& point, GroupLikelihood<T, K>& likelihood) const {
    fill_factor(model_.maps, point);
    return point.factor.allFinite() && point.factor.diagonal().minCoeff() > T(0) &&
           evaluate(groups_[g], point.factor, likelihood);
  }

  template <class T>
  T forward(const Eigen::Matrix<T, Eigen::Dynamic, 1>& x, Work<T>& work) const {
    const T failed(-std::numeric_limits<double>::infinity());
    T log_density = work.population.log_density =
        evaluate(model_, layout_, plan_, x, work.population);
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      CovariancePoint<T, K>& point = work.points[g];
      if (g == 0 || !one_covariance()) {
        log_density += evaluate(layout_, bases_[g], static_cast<int>(g), x, work.population,
                                work.transports[g], point.score);
      } else {
        point.score = work.points[0].score;
      }
      if (!fill(g, point, work.likelihoods[g])) return failed;
      log_density += work.likelihoods[g].within;
    }
    for (int k = 0; k < model_.n_features(); ++k) {
      const Heterogeneity<T>& h = work.population.mean[k];
      const T scale(model_.mean_scale[k]);
      work.means.population_scale[k] = scale * h.weight;
      work.means.group_variance[k] = scale * scale * h.h * h.h;
    }
    T of_means(0);
    if (!evaluate(groups_, work.likelihoods, work.means, of_means)) return failed;
    return log_density + of_means;
  }

  // Density and gradient where forward() has been.
  double look(Eigen::VectorXd& gradient) {
    if (!std::isfinite(value_)) return -std::numeric_limits<double>::infinity();
    reverse(gradient);
    return gradient.allFinite() ? value_ : -std::numeric_limits<double>::infinity();
  }

  // The reverse of forward<double>, from what it left in work_.
  void reverse(Eigen::VectorXd& gradient) {
    using Vector = Eigen::Matrix<double, K, 1>;
    const int n_features = model_.n_features();
    gradient.setZero(position_.size());
    outer_.resize(model_, layout_);
    factor_gradient_sum_.setZero();
    Vector variance_gradient = Vector::Zero(n_features), pull_sum = Vector::Zero(n_features);
    fill_population_covariance(work_.means);
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      fill_moments(groups_[g], work_.likelihoods[g], g, work_.means, moments_);
      variance_gradient += moments_.spread_gradient.diagonal();
      pull_sum += work_.means.pulls[g];
      differentiate(groups_[g], work_.points[g].factor, work_.likelihoods[g], moments_,
                    factor_gradient_);
      if (one_covariance()) {
        factor_gradient_sum_ += factor_gradient_;
      } else {
        pull_back(g, factor_gradient_, gradient);
      }
    }
    if (one_covariance()) pull_back(0, factor_gradient_sum_, gradient);
    if (layout_.h_mean >= 0) {
      Vector scale_gradient = Vector::Zero(n_features);
      fill_scale_gradient(work_.means, pull_sum, scale_gradient);
      for (int k = 0; k < n_features; ++k) {
        const double s = model_.mean_scale[k];
        outer_.mean_h[k] = 2.0 * s * s * work_.population.mean[k].h * variance_gradient[k];
        outer_.mean_weight[k] = s * scale_gradient[k];
      }
    }
    differentiate(model_, layout_, plan_, position_, work_.population, outer_, gradient);
  }

  void pull_back(std::size_t g, const Eigen::Matrix<double, K, K>& factor_gradient,
                 Eigen::VectorXd& gradient) {
    score_gradient_.setZero();
    pull_back_factor(work_.points[g], factor_gradient, score_gradient_);
    differentiate(layout_, bases_[g], static_cast<int>(g), work_.transports[g], score_gradient_,
                  scratch_, outer_, gradient);
  }

  // lp__ as section 3 of the model defines it: the joint density of data, mu, sigma, L, population
  // scores and h, with means explicit and no Jacobian of the sampler's change of variables.
  // `out.mean` is still measured from m.
  void score_log_joint(Draw& out) const {
    const int n_features = model_.n_features();
    out.log_likelihood = 0.0;
    out.log_prior = 0.0;
    Eigen::Matrix<double, K, 1> residual(n_features);
    Eigen::Matrix<double, K, K> root(n_features, n_features);
    const Eigen::Matrix<double, K, 1> population =
        work_.means.population_scale.cwiseProduct(mean_score_);
    for (int g = 0; g < n_groups(); ++g) {
      const GroupLikelihood<double, K>& like = work_.likelihoods[g];
      root = like.spread;
      cholesky_in_place(root);
      residual = (like.estimate - out.mean.col(g)).cwiseProduct(groups_[g].observed);
      solve_lower(root, residual);
      out.log_likelihood += like.within -
                            0.5 * (log_2pi * groups_[g].n_observed + residual.squaredNorm()) -
                            log_diagonal_sum<double>(root);
      if (model_.mean.complete()) continue;
      for (int k = 0; k < n_features; ++k) {
        const double sd = std::sqrt(work_.means.group_variance[k]);
        out.log_prior += log_normal_density((out.mean(k, g) - population[k]) / sd) - std::log(sd);
      }
    }
    for (int k = 0; k < n_features; ++k) {
      if (model_.mean.partial()) out.log_prior += log_normal_density(mean_score_[k]);
      if (model_.mean.complete()) {
        out.log_prior += log_normal_density(out.mean(k, 0) / model_.mean_scale[k]) -
                         std::log(model_.mean_scale[k]);
      }
      if (model_.mean.learned())
        out.log_prior += beta_log_density(model_.mean.heterogeneity, work_.population.mean[k]);
    }
    for (int p = 0; p < layout_.n_population(); ++p) {
      const int i = layout_.partial[p], c = layout_.own_coordinates[i];
      out.log_prior += log_normal_density(work_.population.score[p]);
      const Block& block = c < n_features ? model_.scale : model_.correlation;
      if (block.learned() && c <= n_features) {
        out.log_prior += beta_log_density(block.heterogeneity, work_.population.own[i]);
      }
    }
    for (int g = 0; g < (one_covariance() ? 1 : n_groups()); ++g) {
      for (int i = 0; i < layout_.n_own(); ++i) {
        const int c = layout_.own_coordinates[i];
        const double score = work_.points[g].score[c];
        const Heterogeneity<double>& own = work_.population.own[i];
        out.log_prior += log_normal_density((score - work_.population.center[i]) / own.h) -
                         std::log(own.h) - log_normal_density(score) +
                         natural_log_density(work_.points[g], c);
      }
    }
    for (int c : layout_.shared_coordinates)
      out.log_prior += natural_log_density(work_.points[0], c);
  }

  static double beta_log_density(const HeterogeneityPrior& prior, const Heterogeneity<double>& h) {
    const double complement = h.weight * h.weight / (1.0 + h.h);
    return prior.log_density(std::log(h.h), std::log(complement));
  }

  // log density of sigma_k, or of the entry L_ij that a partial correlation makes, under its own
  // prior (P2), (P3): dL_ij / dw_ij = z_ij sech(w)^2, with z_ij sech(w) the stick after column j.
  double natural_log_density(const CovariancePoint<double, K>& point, int c) const {
    const int n_features = model_.n_features();
    if (c < n_features) return model_.scale_priors[c].log_density_of_scale(point.value[c]);
    int i = 1, at = n_features;
    while (at + i <= c) at += i++;
    const int j = c - at;
    double log_stick = 0.0;
    for (int m = 0; m < j; ++m) log_stick -= PartialCorrelationPrior::log_cosh(point.value[at + m]);
    const double w = point.value[c];
    return model_.correlation_priors[j].log_density(w) - log_stick +
           2.0 * PartialCorrelationPrior::log_cosh(w);
  }

  void read_population(Draw& out) {
    const int n_features = model_.n_features();
    out.mean0 = model_.mean_location + work_.means.population_scale.cwiseProduct(mean_score_);
    CovariancePoint<double, K> point;
    point.resize(n_features);
    for (int p : layout_.partial)
      point.score[layout_.own_coordinates[p]] = work_.population.center[p];
    for (int i = 0; i < layout_.n_shared(); ++i)
      point.score[layout_.shared_coordinates[i]] = work_.population.shared[i];
    fill_factor(model_.maps, point);
    out.scale0 = point.value.head(n_features).array().exp();
    out.correlation_factor0.resize(n_coordinates(n_features));
    pack_lower((out.scale0.cwiseInverse().asDiagonal() * point.factor).eval(),
               out.correlation_factor0);
    out.h_mean.resize(n_features);
    out.h_scale.setOnes(n_features);
    for (int k = 0; k < n_features; ++k) out.h_mean[k] = work_.population.mean[k].h;
    for (int i = 0; i < layout_.n_own(); ++i) {
      const int c = layout_.own_coordinates[i];
      if (c < n_features) out.h_scale[c] = work_.population.own[i].h;
      if (c == n_features) out.h_correlation = work_.population.own[i].h;
    }
  }

  const Model& model_;
  std::vector<GroupStatistics> groups_;
  Layout layout_;
  const TransportPlan& plan_;
  std::vector<GroupBasis<K>> bases_;
  Work<double> work_;
  PopulationGradient outer_;
  TransportScratch<K> scratch_;
  GroupMeanMoments<K> moments_;
  Eigen::Matrix<double, K, K> factor_gradient_, factor_gradient_sum_;
  Eigen::VectorXd score_gradient_, mean_score_;
  Eigen::VectorXd position_, whole_gradient_;  // where settled
  double value_ = -std::numeric_limits<double>::infinity();
  Eigen::Matrix<double, K, 1> population_mean_;  // T u_0, since condition()
};

}  // namespace hmvn
