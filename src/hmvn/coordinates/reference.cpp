#include "hmvn/coordinates/reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hmvn/coordinates/adjusted.hpp"
#include "hmvn/model/covariance_map.hpp"
#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/model/mean_law.hpp"
#include "hmvn/math/dense.hpp"
#include "hmvn/math/packed.hpp"

namespace hmvn {

namespace {

// One group's log likelihood in its scores. Its mean is integrated out under the group's own prior
// (P1); or, where the heterogeneity of means is set to a small value, under that of groups around
// the prior location, to which the statistics have then been shifted.
class GroupScoreLikelihood {
 public:
  GroupScoreLikelihood(const Model& model, const GroupStatistics& group)
      : model_(&model), frame_(model), groups_{group} {
    const int n_features = model.n_features();
    point_.resize(n_features);
    like_.resize(1);
    like_[0].resize(n_features, group.nested.size());
    means_.resize(n_features, 1, false);
    for (int k = 0; k < n_features; ++k) {
      means_.prior().set(k, model.coefficient_scale[k], model.coefficients[k].h_or(1.0), 0.0);
    }
    means_.prior().finish();
    bench_.resize(n_features);
    scratch_.resize(n_features);
    factor_gradient_.setZero(n_features, n_features);
  }

  double operator()(const Eigen::VectorXd& score, Eigen::VectorXd& gradient) {
    point_.score = score;
    fill_factor(model_->maps, point_);
    frame_.fill_root(point_);
    gradient.setZero(score.size());
    const LikelihoodAt<double, Eigen::Dynamic> at{groups_[0], frame_, point_};
    if (!point_.factor.allFinite() || !fill_likelihood(at, like_[0], scratch_) ||
        !means_.invert(0, groups_[0], like_[0], bench_)) {
      return -std::numeric_limits<double>::infinity();
    }
    const double of_means =
        means_.estimate_log_density(0, groups_[0], like_[0], means_.population().typical(), bench_);
    means_.fill_moments(0, groups_[0], like_[0], true, bench_);
    differentiate_likelihood(at, like_[0], bench_.moments, scratch_, factor_gradient_);
    differentiate_factor(point_, factor_gradient_, gradient);
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

  double variance(int k) const { return frame_.root(point_).row(k).squaredNorm(); }

  // Expected (Fisher) information in the scores at the point last evaluated: sum over patterns of
  // n tr(Sigma^-1 dSigma_a Sigma^-1 dSigma_b) / 2, less the share that estimating the mean takes.
  Eigen::MatrixXd information() const {
    const Eigen::Index n_scores = point_.score.size();
    const double n = groups_[0].n, share = n > 1.0 ? (n - 1.0) / n : 0.0;
    Eigen::MatrixXd information = Eigen::MatrixXd::Zero(n_scores, n_scores);
    if (share == 0.0) return information;
    const CovarianceChanges changes = covariance_changes();
    for (const PatternStatistics& pattern : groups_[0].patterns) {
      add_gram(0.5 * pattern.n * share,
               whitened_changes(changes, inverse_factor(pattern), pattern.places), information);
    }
    return information;
  }

 private:
  // Of Sigma over what a pattern observed, or of Sigma~ where rows are complete.
  Eigen::MatrixXd inverse_factor(const PatternStatistics& pattern) const {
    if (groups_[0].complete()) return like_[0].inverse;
    const Eigen::MatrixXd& root = frame_.root(point_);
    Eigen::MatrixXd rows(pattern.n_observed, root.cols());
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      rows.row(i) = root.row(pattern.places[static_cast<std::size_t>(i)]);
    }
    return CholeskyFactor(multiply(rows, rows.transpose())).inverse_upper().transpose();
  }

  // dSigma / dscore of every coordinate, or dSigma~ / dscore where rows are complete, which are
  // whitened by that: B (e_i v' + v e_i') B', of which this has the row i, v and B.
  struct CovarianceChanges {
    std::vector<int> row;
    Eigen::MatrixXd v;  // a column a coordinate
    Eigen::MatrixXd B;
  };

  CovarianceChanges covariance_changes() const {
    const int n_features = model_->n_features();
    const Eigen::MatrixXd factor = point_.factor;
    CovarianceChanges changes;
    changes.row.resize(static_cast<std::size_t>(point_.score.size()));
    changes.v.resize(n_features, point_.score.size());
    const auto put = [&](int at, int i, const Eigen::RowVectorXd& row) {
      changes.row[at] = i;
      changes.v.col(at) = factor * row.transpose();
    };
    for (int i = 0, at = n_features; i < n_features; ++i) {
      const Eigen::RowVectorXd row = factor.row(i);
      put(i, i, row * point_.value_slope[i]);
      for (int j = 0; j < i; ++j, ++at) {
        put(at, i, stick_tangent(row, i, j, point_.value[at]) * point_.value_slope[at]);
      }
    }
    if (frame_.raw || groups_[0].complete()) {
      changes.B.setIdentity(n_features, n_features);
    } else {
      changes.B = frame_.C;
    }
    return changes;
  }

  // All changes between a pattern's whitened features, as vectors whose products are the traces: of
  // a symmetric matrix the diagonal, and sqrt(2) times what is below. A column a coordinate.
  static Eigen::MatrixXd whitened_changes(const CovarianceChanges& changes,
                                          const Eigen::MatrixXd& inverse,
                                          const std::vector<int>& places) {
    Eigen::MatrixXd rows(inverse.rows(), changes.B.cols());
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      rows.row(i) = changes.B.row(places[static_cast<std::size_t>(i)]);
    }
    const Eigen::MatrixXd whitening = multiply(inverse, rows);
    const Eigen::MatrixXd v = multiply(whitening, changes.v);
    const Eigen::Index n_features = v.rows(), n_scores = v.cols();
    const double root_2 = std::sqrt(2.0);
    Eigen::MatrixXd out(packed_size(static_cast<int>(n_features)), n_scores);
    for (Eigen::Index a = 0; a < n_scores; ++a) {
      const auto e = whitening.col(changes.row[static_cast<std::size_t>(a)]);
      for (Eigen::Index j = 0, at = 0; j < n_features; ++j) {
        out(at++, a) = 2.0 * e[j] * v(j, a);
        for (Eigen::Index i = j + 1; i < n_features; ++i) {
          out(at++, a) = root_2 * (e[i] * v(j, a) + v(i, a) * e[j]);
        }
      }
    }
    return out;
  }

  const Model* model_;
  Frame<double, Eigen::Dynamic> frame_;
  std::vector<GroupStatistics> groups_;  // one
  CovariancePoint<double, Eigen::Dynamic> point_;
  std::vector<GroupLikelihood<double, Eigen::Dynamic>> like_;
  MeanLaw<double, Eigen::Dynamic> means_;
  MeanLaw<double, Eigen::Dynamic>::Bench bench_;
  LikelihoodScratch<double, Eigen::Dynamic> scratch_;
  Eigen::MatrixXd factor_gradient_;
};

// The sum of several groups' likelihoods and a Normal(center, diag(spread^2)) prior. Coordinates
// with spread 0 stay at the centre.
class LocatedDensity {
 public:
  LocatedDensity(std::vector<GroupScoreLikelihood>& groups, const Eigen::VectorXd& center,
                 const Eigen::VectorXd& spread, const std::atomic<bool>& stop)
      : groups_(groups), center_(center), spread_(spread), stop_(stop) {
    prior_precision_ = spread.unaryExpr([](double s) { return s > 0.0 ? 1.0 / (s * s) : 0.0; });
  }

  double operator()(const Eigen::VectorXd& at, Eigen::VectorXd& slope) {
    double value = -0.5 * (at - center_).cwiseAbs2().dot(prior_precision_);
    slope = -(at - center_).cwiseProduct(prior_precision_);
    for (GroupScoreLikelihood& group : groups_) {
      stop_if_asked(stop_);
      value += group(at, part_);
      slope += part_;
    }
    return value;
  }

  // The Fisher scoring step at the place last evaluated; zeroes the gradient where nothing moves.
  Eigen::VectorXd step(Eigen::VectorXd& gradient) const {
    Eigen::MatrixXd information = prior_precision_.asDiagonal();
    for (const GroupScoreLikelihood& group : groups_) {
      stop_if_asked(stop_);
      information += group.information();
    }
    for (Eigen::Index i = 0; i < gradient.size(); ++i) {
      if (spread_[i] > 0.0) continue;
      information.row(i).setZero();
      information.col(i).setZero();
      information(i, i) = 1.0;
      gradient[i] = 0.0;
    }
    return solve_symmetric(information, gradient);
  }

 private:
  std::vector<GroupScoreLikelihood>& groups_;
  const Eigen::VectorXd &center_, &spread_;
  const std::atomic<bool>& stop_;
  Eigen::VectorXd prior_precision_, part_;
};

// Climbs by Fisher scoring with step halving. Returns the place reached. No step is longer than two
// standard deviations of a score: from a sigma that is much too small the next would be much too
// large, where there is little to climb by.
Eigen::VectorXd locate(LocatedDensity density, const Eigen::VectorXd& start) {
  Eigen::VectorXd score = start, trial(start.size()), gradient(start.size());
  double value = density(score, gradient);
  for (int iteration = 0; iteration < 50 && std::isfinite(value); ++iteration) {
    Eigen::VectorXd step = density.step(gradient);
    if (!step.allFinite() || step.dot(gradient) < 1e-8) break;
    step /= std::max(1.0, 0.5 * step.cwiseAbs().maxCoeff());
    double trial_value = 0.0;
    for (double fraction = 1.0; fraction > 1e-4; fraction *= 0.5) {
      trial = score + fraction * step;
      trial_value = density(trial, gradient);
      if (std::isfinite(trial_value) && trial_value > value) break;
    }
    if (!(trial_value > value)) break;
    score = trial;
    value = trial_value;
  }
  return score;
}

QuadraticLikelihood quadratic_at(GroupScoreLikelihood& group, const Eigen::VectorXd& score) {
  QuadraticLikelihood quadratic;
  Eigen::VectorXd gradient(score.size());
  group(score, gradient);
  quadratic.information = group.information();
  quadratic.b = gradient + quadratic.information * score;
  return quadratic;
}

// The rows that observe each feature, and the sums of their values, less the prior location.
struct FeatureSums {
  Eigen::VectorXd n, sum;

  explicit FeatureSums(Eigen::Index n_features) : n(Eigen::VectorXd::Zero(n_features)), sum(n) {}

  void add(const GroupStatistics& group) {
    for (const PatternStatistics& pattern : group.patterns) {
      n += pattern.n * pattern.observed;
      sum += pattern.n * pattern.mean;
    }
  }
  Eigen::VectorXd mean() const { return sum.cwiseQuotient(n.cwiseMax(1e-300)); }
};

// Scores to start from: each feature's pooled within-group variance, no correlation. In a frame
// that of whitened rows if all are complete, else that of the feature over what the frame makes of
// ones.
Eigen::VectorXd starting_scores(const Model& model, const std::vector<GroupStatistics>& groups) {
  const int n_features = model.n_features();
  Eigen::VectorXd squares = Eigen::VectorXd::Zero(n_features), freedom = squares;
  bool whitened = model.framed();
  for (const GroupStatistics& group : groups) whitened = whitened && group.complete();
  for (const GroupStatistics& group : groups) {
    FeatureSums own(n_features);
    own.add(group);
    const Eigen::VectorXd mean = own.mean();
    for (const PatternStatistics& pattern : group.patterns) {
      squares += whitened ? Eigen::VectorXd(group.scatter_root.rowwise().squaredNorm())
                          : Eigen::VectorXd(pattern.scatter.diagonal());
      squares += pattern.n * pattern.observed.cwiseProduct(pattern.mean - mean).cwiseAbs2();
    }
    freedom += (own.n.array() - 1.0).cwiseMax(0.0).matrix();
  }
  if (model.framed() && !whitened) {
    squares = squares.cwiseQuotient(model.frame.rowwise().squaredNorm());
  }
  Eigen::VectorXd score = Eigen::VectorXd::Zero(n_coordinates(n_features));
  for (int k = 0; k < n_features; ++k) {
    if (squares[k] > 0.0 && freedom[k] > 0.0)
      score[k] = model.maps.scale[k].inverse(0.5 * std::log(squares[k] / freedom[k]));
  }
  return score;
}

// The groups as seen from their common mean, in features whose means are (nearly) completely
// pooled: a group's distance from it is then spread.
std::vector<GroupStatistics> shift_to_common_mean(std::vector<GroupStatistics> groups,
                                                  const Model& model) {
  const Eigen::Index n_features = model.n_features();
  FeatureSums all(n_features);
  for (const GroupStatistics& group : groups) all.add(group);
  Eigen::VectorXd common = all.mean();
  for (Eigen::Index k = 0; k < n_features; ++k) {
    // a single row would lie at its own mean, and have no spread at all
    if (model.coefficients[k].h_or(1.0) >= 0.5 || all.n[k] < 2.0) common[k] = 0.0;
  }
  for (GroupStatistics& group : groups) shift_origin(common, group);
  return groups;
}

}  // namespace

Reference make_reference(const Model& model, const std::vector<GroupStatistics>& given,
                         const std::atomic<bool>& stop) {
  const int n_features = model.n_features(), n = n_coordinates(n_features);
  AdjustedGroups adjusted;
  if (model.n_covariates > 0) adjusted = adjust_for_covariates(model, given, stop);
  const std::vector<GroupStatistics> groups =
      shift_to_common_mean(model.n_covariates > 0 ? adjusted.groups : given, model);
  std::vector<GroupScoreLikelihood> likelihoods;
  likelihoods.reserve(groups.size());
  for (const GroupStatistics& group : groups) {
    stop_if_asked(stop);
    likelihoods.emplace_back(model, group);
  }
  Reference reference;
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(n), one = Eigen::VectorXd::Ones(n);
  reference.pooled =
      locate(LocatedDensity(likelihoods, zero, one, stop), starting_scores(model, groups));
  Eigen::VectorXd center(n), spread(n);
  for (int c = 0; c < n; ++c) {
    const Block& block = model.block_of(c);
    center[c] = block.pooled() ? reference.pooled[c] : 0.0;
    spread[c] = block.h_or(0.5);
  }
  reference.coefficient_information.setZero(model.n_coefficients(),
                                            static_cast<Eigen::Index>(groups.size()));
  reference.coefficient_b = reference.coefficient_information;
  std::vector<GroupScoreLikelihood> single;
  for (GroupScoreLikelihood& likelihood : likelihoods) {
    single.assign(1, likelihood);
    const Eigen::VectorXd mode =
        groups.size() == 1 && model.groups_apart()
            ? reference.pooled
            : locate(LocatedDensity(single, center, spread, stop), reference.pooled);
    const Eigen::Index g = static_cast<Eigen::Index>(reference.groups.size());
    reference.groups.push_back(quadratic_at(likelihood, mode));
    for (int i = 0; i < model.n_coefficients(); ++i) {
      const bool of_mean = i < n_features;
      const Eigen::Index slope = i - n_features;
      const double information =
          of_mean ? likelihood.mean_information(i)
                  : adjusted.precisions(slope, g) / likelihood.variance(i % n_features);
      const double estimate = of_mean ? likelihood.mean_estimate(i) : adjusted.slopes(slope, g);
      const double scale = model.coefficient_scale[i];
      reference.coefficient_information(i, g) = scale * scale * information;
      reference.coefficient_b(i, g) = scale * information * estimate;
    }
  }
  return reference;
}

Reference known_reference(const Model& model, const std::vector<GroupStatistics>& groups) {
  const Eigen::Index n_groups = static_cast<Eigen::Index>(groups.size());
  Reference reference;
  reference.groups.resize(groups.size());
  reference.coefficient_information.setZero(model.n_features(), n_groups);
  reference.coefficient_b = reference.coefficient_information;
  for (Eigen::Index g = 0; g < n_groups; ++g) {
    if (groups[g].patterns.empty()) continue;
    const PatternStatistics& estimate = groups[g].patterns[0];
    for (int k = 0; k < model.n_features(); ++k) {
      if (estimate.observed[k] == 0.0) continue;
      const double scale = model.coefficient_scale[k];
      const double information = scale / estimate.scatter(k, k);
      reference.coefficient_information(k, g) = scale * information;
      reference.coefficient_b(k, g) = information * estimate.mean[k];
    }
  }
  return reference;
}

}  // namespace hmvn
