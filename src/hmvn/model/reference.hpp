// Where each group's likelihood lies and how sharp it is, found before sampling: the affine maps
// that make the sampler's space nearly standard normal are built from it. Any values are valid;
// good ones are fast.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/model/mean_block.hpp"
#include "hmvn/model/model.hpp"

namespace hmvn {

// log p(data of a group | score) ~ pull' score - score' information score / 2 near its centre, over
// all coordinates.
struct QuadraticLikelihood {
  Eigen::VectorXd pull;
  Eigen::MatrixXd information;
};

// One group's log likelihood in its scores. Its mean is integrated out under the group's own prior
// (P1); or, where the heterogeneity of means is set to a small value, under that of groups around
// the prior location, to which the statistics have then been shifted.
class GroupScoreLikelihood {
 public:
  GroupScoreLikelihood(const Model& model, const GroupStatistics& group)
      : model_(&model), groups_{group} {
    point_.resize(model.n_features());
    like_.resize(1);
    like_[0].resize(model.n_features(), group.patterns.size());
    means_.resize(model.n_features(), 1);
    means_.group_variance =
        model.mean.constant() * model.mean.constant() * model.mean_scale.cwiseAbs2();
    moments_.resize(model.n_features());
    factor_gradient_.setZero(model.n_features(), model.n_features());
  }

  double operator()(const Eigen::VectorXd& score, Eigen::VectorXd& gradient) {
    point_.score = score;
    fill_factor(model_->maps, point_);
    double of_means = 0.0;
    gradient.setZero(score.size());
    if (!point_.factor.allFinite() || !evaluate(groups_[0], point_.factor, like_[0]) ||
        !evaluate(groups_, like_, means_, of_means)) {
      return -std::numeric_limits<double>::infinity();
    }
    fill_moments(groups_[0], like_[0], 0, means_, moments_);
    differentiate(groups_[0], point_.factor, like_[0], moments_, factor_gradient_);
    pull_back_factor(point_, factor_gradient_, gradient);
    const double value = like_[0].within + of_means;
    return std::isfinite(value) && gradient.allFinite() ? value
                                                        : -std::numeric_limits<double>::infinity();
  }

  // The estimate of a mean, less its prior location, at the covariance matrix last evaluated, and
  // its information: 0 where the feature was not observed.
  double mean_estimate(int k) const { return like_[0].estimate[k]; }
  double mean_information(int k) const {
    return groups_[0].observed[k] != 0.0 ? 1.0 / like_[0].spread(k, k) : 0.0;
  }

  // Expected (Fisher) information in the scores at the point last evaluated: sum over patterns of
  // n tr(Sigma^-1 dSigma_a Sigma^-1 dSigma_b) / 2, less the share that estimating the mean takes.
  Eigen::MatrixXd information() const {
    const int n_features = model_->n_features();
    const Eigen::Index n_scores = point_.score.size();
    const Eigen::MatrixXd factor = point_.factor;
    Eigen::MatrixXd information = Eigen::MatrixXd::Zero(n_scores, n_scores);
    const double share = groups_[0].n > 1.0 ? (groups_[0].n - 1.0) / groups_[0].n : 0.0;
    if (share == 0.0) return information;
    std::vector<Eigen::MatrixXd> change(n_scores);
    for (int i = 0, at = n_features; i < n_features; ++i) {
      Eigen::RowVectorXd row = factor.row(i) * point_.value_slope[i];
      change[i] = covariance_change(factor, i, row);
      for (int j = 0; j < i; ++j, ++at) {
        const double tanh_w = std::tanh(point_.value[at]);
        row.setZero();
        double rest = factor.row(i).tail(n_features - j).norm();  // the stick before column j
        row[j] = rest * (1.0 - tanh_w * tanh_w);
        for (int m = j + 1; m <= i; ++m) row[m] = -tanh_w * factor(i, m);
        change[at] = covariance_change(factor, i, row * point_.value_slope[at]);
      }
    }
    Eigen::MatrixXd white(n_features * n_features, n_scores);
    for (std::size_t p = 0; p < groups_[0].patterns.size(); ++p) {
      const PatternStatistics& pattern = groups_[0].patterns[p];
      const Eigen::MatrixXd inverse = like_[0].pattern_inverses[p];
      for (Eigen::Index a = 0; a < n_scores; ++a) {
        const Eigen::MatrixXd z =
            inverse * (pattern.observed.asDiagonal() * change[a] * pattern.observed.asDiagonal()) *
            inverse.transpose();
        white.col(a) = Eigen::Map<const Eigen::VectorXd>(z.data(), z.size());
      }
      information.noalias() += (0.5 * pattern.n * share) * (white.transpose() * white);
    }
    return information;
  }

 private:
  static Eigen::MatrixXd covariance_change(const Eigen::MatrixXd& factor, int i,
                                           const Eigen::RowVectorXd& row) {
    Eigen::MatrixXd change = Eigen::MatrixXd::Zero(factor.rows(), factor.cols());
    change.row(i) = (factor * row.transpose()).transpose();
    change.col(i) += change.row(i).transpose().eval();
    return change;
  }

  const Model* model_;
  std::vector<GroupStatistics> groups_;
  CovariancePoint<double, Eigen::Dynamic> point_;
  std::vector<GroupLikelihood<double, Eigen::Dynamic>> like_;
  MeanBlock<double, Eigen::Dynamic> means_;
  GroupMeanMoments<Eigen::Dynamic> moments_;
  Eigen::MatrixXd factor_gradient_;
};

// Fisher scoring with step halving on the sum of several groups' likelihoods and a Normal(center,
// diag(spread^2)) prior. Coordinates with spread 0 stay at the centre. Returns the place reached.
inline Eigen::VectorXd locate(std::vector<GroupScoreLikelihood>& groups,
                              const Eigen::VectorXd& start, const Eigen::VectorXd& center,
                              const Eigen::VectorXd& spread) {
  const Eigen::Index n = start.size();
  Eigen::VectorXd score = start, trial(n), gradient(n), part(n), step(n);
  const Eigen::VectorXd prior_precision =
      spread.unaryExpr([](double s) { return s > 0.0 ? 1.0 / (s * s) : 0.0; });
  const auto objective = [&](const Eigen::VectorXd& at, Eigen::VectorXd& slope) {
    double value = -0.5 * (at - center).cwiseAbs2().dot(prior_precision);
    slope = -(at - center).cwiseProduct(prior_precision);
    for (GroupScoreLikelihood& group : groups) {
      value += group(at, part);
      slope += part;
    }
    return value;
  };
  double value = objective(score, gradient);
  for (int iteration = 0; iteration < 50 && std::isfinite(value); ++iteration) {
    Eigen::MatrixXd information = prior_precision.asDiagonal();
    for (const GroupScoreLikelihood& group : groups) information += group.information();
    for (Eigen::Index i = 0; i < n; ++i) {
      if (spread[i] > 0.0) continue;
      information.row(i).setZero();
      information.col(i).setZero();
      information(i, i) = 1.0;
      gradient[i] = 0.0;
    }
    step = information.ldlt().solve(gradient);
    if (!step.allFinite() || step.dot(gradient) < 1e-8) break;
    double fraction = 1.0, trial_value = 0.0;
    for (; fraction > 1e-4; fraction *= 0.5) {
      trial = score + fraction * step;
      trial_value = objective(trial, gradient);
      if (std::isfinite(trial_value) && trial_value > value) break;
    }
    if (!(trial_value > value)) break;
    score = trial;
    value = trial_value;
  }
  return score;
}

inline QuadraticLikelihood quadratic_at(GroupScoreLikelihood& group, const Eigen::VectorXd& score) {
  QuadraticLikelihood quadratic;
  Eigen::VectorXd gradient(score.size());
  group(score, gradient);
  quadratic.information = group.information();
  quadratic.pull = gradient + quadratic.information * score;
  return quadratic;
}

// Scores to start from: each feature's pooled within-group variance, no correlation.
inline Eigen::VectorXd starting_scores(const Model& model,
                                       const std::vector<GroupStatistics>& groups) {
  const int n_features = model.n_features();
  Eigen::VectorXd squares = Eigen::VectorXd::Zero(n_features), freedom = squares;
  for (const GroupStatistics& group : groups) {
    for (const PatternStatistics& pattern : group.patterns) {
      squares += pattern.scatter.diagonal();
      freedom += (pattern.n - 1.0) * pattern.observed;
    }
  }
  Eigen::VectorXd score = Eigen::VectorXd::Zero(n_coordinates(n_features));
  for (int k = 0; k < n_features; ++k) {
    if (squares[k] > 0.0 && freedom[k] > 0.0)
      score[k] = model.maps.scale[k].inverse(0.5 * std::log(squares[k] / freedom[k]));
  }
  return score;
}

// The groups as seen from their common mean, where means are (nearly) completely pooled: a group's
// distance from it is then spread.
inline std::vector<GroupStatistics> shift_to_common_mean(std::vector<GroupStatistics> groups,
                                                         Eigen::Index n_features) {
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(n_features), n = sum;
  for (const GroupStatistics& group : groups) {
    for (const PatternStatistics& pattern : group.patterns) {
      sum += pattern.n * pattern.mean;
      n += pattern.n * pattern.observed;
    }
  }
  const Eigen::VectorXd common = sum.cwiseQuotient(n.cwiseMax(1e-300));
  for (GroupStatistics& group : groups) {
    for (PatternStatistics& pattern : group.patterns)
      pattern.mean -= common.cwiseProduct(pattern.observed);
  }
  return groups;
}

// All groups' quadratic likelihoods, each taken at its own mode under a prior around the pooled
// mode.
struct Reference {
  Eigen::VectorXd pooled;
  std::vector<QuadraticLikelihood> groups;
  Eigen::MatrixXd mean_information,
      mean_pull;  // K x G: j of each mean's own estimate in score units (S1), and j c
};

inline Reference make_reference(const Model& model, const std::vector<GroupStatistics>& given) {
  const int n_features = model.n_features();
  const std::vector<GroupStatistics> groups =
      model.mean.constant() < 0.5 ? shift_to_common_mean(given, n_features) : given;
  const int n = n_coordinates(n_features);
  std::vector<GroupScoreLikelihood> likelihoods;
  likelihoods.reserve(groups.size());
  for (const GroupStatistics& group : groups) likelihoods.emplace_back(model, group);
  Reference reference;
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(n), one = Eigen::VectorXd::Ones(n);
  reference.pooled = locate(likelihoods, starting_scores(model, groups), zero, one);
  Eigen::VectorXd center(n), spread(n);
  for (int c = 0; c < n; ++c) {
    const Block& block = c < n_features ? model.scale : model.correlation;
    center[c] = block.pooling == Pooling::none ? 0.0 : reference.pooled[c];
    spread[c] = block.partial() ? (block.heterogeneity.fixed ? block.heterogeneity.value : 0.5)
                                : block.constant();
  }
  reference.mean_information.setZero(n_features, static_cast<Eigen::Index>(groups.size()));
  reference.mean_pull = reference.mean_information;
  std::vector<GroupScoreLikelihood> single;
  for (GroupScoreLikelihood& likelihood : likelihoods) {
    single.assign(1, likelihood);
    const Eigen::VectorXd mode = groups.size() == 1 && model.groups_apart()
                                     ? reference.pooled
                                     : locate(single, reference.pooled, center, spread);
    const Eigen::Index g = static_cast<Eigen::Index>(reference.groups.size());
    reference.groups.push_back(quadratic_at(likelihood, mode));
    for (int k = 0; k < n_features; ++k) {
      const double information = likelihood.mean_information(k);
      reference.mean_information(k, g) = model.mean_scale[k] * model.mean_scale[k] * information;
      reference.mean_pull(k, g) = model.mean_scale[k] * information * likelihood.mean_estimate(k);
    }
  }
  return reference;
}

}  // namespace hmvn
