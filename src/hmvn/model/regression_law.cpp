#include "hmvn/model/regression_law.hpp"

#include <Eigen/LU>
#include <cmath>

#include "hmvn/math/triangles.hpp"

namespace hmvn {

template <class T>
void RegressionLaw<T>::resize(const Model& model, const std::vector<GroupStatistics>& groups) {
  const int n = model.n_coefficients();
  n_features_ = model.n_features();
  unit_ = model.coefficient_scale.cast<T>();
  prior_.resize(n);
  population_.resize(n, model.pools_coefficients());
  groups_.resize(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    groups_[g].nested.resize(groups[g].nested.size());
    for (RegressionPoint<T>& nest : groups_[g].nested) nest.resize(model.n_features());
  }
}

template <class T>
bool RegressionLaw<T>::fill(std::size_t g, const GroupStatistics& group, const Square& covariance,
                            Bench& bench) {
  using std::abs;
  using std::log;
  Part& part = groups_[g];
  const Eigen::Index n = unit_.size();
  Square& information = bench.information;
  information.setZero();
  bench.score.setZero();
  for (std::size_t i = 0; i < group.nested.size(); ++i) {
    const NestedPatterns& nest = group.nested[i];
    if (!fill_nested(nest, covariance, bench.scratch.nested, part.nested[i])) return false;
    add_information(nest, part.nested[i], bench.scratch, information, bench.score);
  }
  mirror_kronecker(n_features_, information);
  // in units of the prior, so that pivots are chosen by what counts
  const Square scaled =
      unit_.asDiagonal() * information * prior_.covariance() * unit_.cwiseInverse().asDiagonal();
  const Eigen::PartialPivLU<Square> system(Square::Identity(n, n) + scaled);
  part.log_determinant = T(0);
  for (Eigen::Index i = 0; i < n; ++i) part.log_determinant += log(abs(system.matrixLU()(i, i)));
  part.shrink = unit_.cwiseInverse().asDiagonal() * system.inverse() * unit_.asDiagonal();
  const Square product = part.shrink * information;
  part.precision = T(0.5) * (product + product.transpose());
  part.weighted = part.shrink * bench.score;
  return part.precision.allFinite() && part.weighted.allFinite();
}

template <class T>
T RegressionLaw<T>::group_log_density(std::size_t g, const GroupStatistics& group,
                                      const Vector& population) {
  Part& part = groups_[g];
  part.alpha = part.weighted - part.precision * population;
  const Vector deviation = prior_.covariance() * part.alpha;
  part.mean = population + deviation;
  return log_likelihood(g, group, part.mean) -
         T(0.5) * (part.alpha.dot(deviation) + part.log_determinant);
}

template <class T>
T RegressionLaw<T>::log_likelihood(std::size_t g, const GroupStatistics& group,
                                   const Vector& coefficients) const {
  const Part& part = groups_[g];
  Square left(n_features_, unit_.size() / n_features_);
  T log_density(0);
  for (std::size_t i = 0; i < group.nested.size(); ++i) {
    log_density += part.nested[i].log_density -
                   T(0.5) * squares_about(group.nested[i], part.nested[i], coefficients, left);
  }
  return log_density;
}

template <class T>
void RegressionLaw<T>::differentiate(std::size_t g, const GroupStatistics& group,
                                     bool population_known, Bench& bench) const {
  Square& of_prior = bench.of_prior;
  const Part& part = groups_[g];
  Square covariance = prior_.covariance() * part.shrink;  // of the coefficients
  of_prior = part.alpha * part.alpha.transpose() - part.precision;
  if (population_.pooled() && !population_known) {
    const Square& of_population = population_.covariance();
    covariance += part.shrink.transpose() * of_population * part.shrink;
    of_prior += part.precision * of_population * part.precision;
  }
  of_prior *= T(0.5);
  bench.of_covariance.setZero();
  for (std::size_t i = 0; i < group.nested.size(); ++i) {
    differentiate_regression<T>(group.nested[i], part.nested[i], {part.mean, covariance},
                                bench.scratch, bench.of_covariance);
  }
}

template <class T>
typename RegressionLaw<T>::Square RegressionLaw<T>::prior_root_gradient(
    const Square& of_prior) const {
  return T(2) * of_prior * prior_.root();
}

// With delta ~ Normal(0, D) and zeta ~ Normal(0, Lambda), m + delta + D (M (score at 0 + zeta) -
// C^-1 (m + delta)) has the law.
template <class T>
void RegressionLaw<T>::draw(std::size_t g, const GroupStatistics& group, const Vector& population,
                            RandomStream& random, Eigen::Ref<Eigen::VectorXd> coefficients) const {
  const Part& part = groups_[g];
  const Eigen::Index n = unit_.size();
  Vector start(n);
  for (Eigen::Index k = 0; k < n; ++k) start[k] = T(random.normal());
  apply_lower(prior_.root(), start);
  start += population;
  Vector noise = Vector::Zero(n);
  for (std::size_t i = 0; i < group.nested.size(); ++i) {
    add_noise(group.nested[i], part.nested[i], random, noise);
  }
  const Vector pulled = part.weighted + part.shrink * noise - part.precision * start;
  coefficients = (start + prior_.covariance() * pulled).template cast<double>();
}

template class RegressionLaw<double>;
template class RegressionLaw<long double>;

}  // namespace hmvn
