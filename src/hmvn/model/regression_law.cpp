#include "hmvn/model/regression_law.hpp"

#include <Eigen/LU>
#include <cmath>

#include "hmvn/math/special_functions.hpp"
#include "hmvn/math/triangles.hpp"

namespace hmvn {

namespace {

// Coefficients one below the other as [feature, 1 + covariate].
template <class T, class Vector>
auto as_matrix(const Vector& coefficients, Eigen::Index n_features) {
  using Square = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  return Eigen::Map<const Square>(coefficients.data(), n_features,
                                  coefficients.size() / n_features);
}

template <class Square>
void add_kronecker(const Eigen::MatrixXd& outer, const Square& inner, Square& sum) {
  using T = typename Square::Scalar;
  const Eigen::Index n = inner.rows();
  for (Eigen::Index a = 0; a < outer.rows(); ++a) {
    for (Eigen::Index b = 0; b < outer.cols(); ++b) {
      sum.block(a * n, b * n, n, n) += T(outer(a, b)) * inner;
    }
  }
}

// The rows' residuals about coefficients theta, as a root: Q = E E' is their sum of squares.
template <class T>
auto residual_root(const PatternStatistics& pattern,
                   const Eigen::Matrix<T, Eigen::Dynamic, 1>& theta) {
  using Square = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const Design& design = pattern.design;
  const Eigen::Index n_features = pattern.observed.size(), n_columns = design.gram_root.rows();
  Square root(n_features, n_columns + n_features);
  root.leftCols(n_columns) = design.response_root.cast<T>() -
                             pattern.observed.cast<T>().asDiagonal() *
                                 (as_matrix<T>(theta, n_features) * design.gram_root.cast<T>());
  root.rightCols(n_features) = design.residual_root.cast<T>();
  return root;
}

}  // namespace

template <class T>
void RegressionLaw<T>::resize(const Model& model, const std::vector<GroupStatistics>& groups) {
  const int n = model.n_coefficients();
  n_features_ = model.n_features();
  unit_ = model.coefficient_scale.cast<T>();
  prior_.resize(n);
  population_.resize(n, model.pools_coefficients());
  groups_.resize(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    groups_[g].inverses.assign(groups[g].patterns.size(), Square());
  }
}

template <class T>
typename RegressionLaw<T>::Square RegressionLaw<T>::precision_of(const PatternStatistics& pattern,
                                                                 const Square& inverse) const {
  Square precision(n_features_, n_features_);
  inner_square(inverse, precision);
  precision.diagonal() -= (T(1) - pattern.observed.cast<T>().array()).matrix();
  return precision;
}

template <class T>
bool RegressionLaw<T>::fill(std::size_t g, const GroupStatistics& group, const Square& covariance) {
  using std::abs;
  using std::log;
  Part& part = groups_[g];
  const Eigen::Index n = unit_.size();
  Square information = Square::Zero(n, n), block(n_features_, n_features_);
  Vector score = Vector::Zero(n);
  part.log_root = T(0);
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    const Vector observed = pattern.observed.cast<T>();
    block = observed.asDiagonal() * covariance * observed.asDiagonal();
    block.diagonal() += (T(1) - observed.array()).matrix();
    if (!cholesky_in_place(block)) return false;
    part.log_root += T(pattern.n) * log_diagonal_sum<T>(block);
    part.inverses[p].resize(n_features_, n_features_);
    invert_lower(block, part.inverses[p]);
    const Square precision = precision_of(pattern, part.inverses[p]);
    const Design& design = pattern.design;
    add_kronecker(design.gram, precision, information);
    const Square of_rows = precision * design.cross.cast<T>();
    score += Eigen::Map<const Vector>(of_rows.data(), n);
  }
  // in units of the prior, so that pivots are chosen by what counts
  const Square scaled =
      unit_.asDiagonal() * information * prior_.covariance() * unit_.cwiseInverse().asDiagonal();
  const Eigen::PartialPivLU<Square> system(Square::Identity(n, n) + scaled);
  part.log_determinant = T(0);
  for (Eigen::Index i = 0; i < n; ++i) part.log_determinant += log(abs(system.matrixLU()(i, i)));
  part.shrink = unit_.cwiseInverse().asDiagonal() * system.inverse() * unit_.asDiagonal();
  block = part.shrink * information;
  part.precision = T(0.5) * (block + block.transpose());
  part.weighted = part.shrink * score;
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
  T cells(0), squares(0);
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    cells += T(pattern.n * pattern.n_observed);
    squares += (part.inverses[p] * residual_root<T>(pattern, coefficients)).squaredNorm();
  }
  return -T(0.5 * log_2pi) * cells - part.log_root - T(0.5) * squares;
}

template <class T>
void RegressionLaw<T>::differentiate(std::size_t g, const GroupStatistics& group,
                                     bool population_known, Gradient& gradient) const {
  Square& of_covariance = gradient.of_covariance;
  Square& of_prior = gradient.of_prior;
  const Part& part = groups_[g];
  Square covariance = prior_.covariance() * part.shrink;  // of the coefficients
  of_prior = part.alpha * part.alpha.transpose() - part.precision;
  if (population_.pooled() && !population_known) {
    const Square& of_population = population_.covariance();
    covariance += part.shrink.transpose() * of_population * part.shrink;
    of_prior += part.precision * of_population * part.precision;
  }
  of_prior *= T(0.5);
  of_covariance.setZero(n_features_, n_features_);
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    const Square precision = precision_of(pattern, part.inverses[p]);
    const Square root = residual_root<T>(pattern, part.mean);
    Square squares = root * root.transpose();
    const Eigen::MatrixXd& gram = pattern.design.gram;
    for (Eigen::Index a = 0; a < gram.rows(); ++a) {
      for (Eigen::Index b = 0; b < gram.cols(); ++b) {
        squares += T(gram(a, b)) *
                   covariance.block(a * n_features_, b * n_features_, n_features_, n_features_);
      }
    }
    of_covariance += T(0.5) * (precision * squares * precision - T(pattern.n) * precision);
  }
  of_covariance = (T(0.5) * (of_covariance + of_covariance.transpose())).eval();
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
  for (std::size_t p = 0; p < group.patterns.size(); ++p) {
    const PatternStatistics& pattern = group.patterns[p];
    const Design& design = pattern.design;
    Square normals(n_features_, design.gram.rows());
    for (Eigen::Index j = 0; j < normals.cols(); ++j) {
      for (Eigen::Index i = 0; i < n_features_; ++i) {
        normals(i, j) = T(pattern.observed[i] * random.normal());
      }
    }
    const Square one =
        part.inverses[p].transpose() * normals * design.gram_root.cast<T>().transpose();
    noise += Eigen::Map<const Vector>(one.data(), n);
  }
  const Vector pulled = part.weighted + part.shrink * noise - part.precision * start;
  coefficients = (start + prior_.covariance() * pulled).template cast<double>();
}

template class RegressionLaw<double>;
template class RegressionLaw<long double>;

}  // namespace hmvn
