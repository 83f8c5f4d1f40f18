#include "hmvn/coordinates/adjusted.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hmvn/math/dense.hpp"

namespace hmvn {

namespace {

// Squares and products of covariates within patterns, over the rows that observe one feature.
struct Normals {
  Eigen::MatrixXd squares;
  Eigen::VectorXd products;
  double n = 0.0;

  explicit Normals(Eigen::Index n_covariates)
      : squares(Eigen::MatrixXd::Zero(n_covariates, n_covariates)),
        products(Eigen::VectorXd::Zero(n_covariates)) {}

  void add(const PatternStatistics& pattern, Eigen::Index feature) {
    if (pattern.observed[feature] == 0.0) return;
    const Eigen::Index n_covariates = products.size();
    const Eigen::MatrixXd root =
        pattern.design.gram_root.bottomRightCorner(n_covariates, n_covariates);
    squares += multiply(root, root.transpose());
    products +=
        multiply(root, pattern.design.response_root.row(feature).tail(n_covariates).transpose());
    n += pattern.n;
  }

  void add(double share, const Normals& other) {
    squares += share * other.squares;
    products += share * other.products;
  }

  // The slopes; zero where they are not determined.
  Eigen::VectorXd solve() const {
    const CholeskyFactor factor(squares);
    return factor.exists() ? factor.solve_vector(products)
                           : Eigen::VectorXd::Zero(products.size()).eval();
  }
};

PatternStatistics adjust(const PatternStatistics& pattern, const Eigen::MatrixXd& slopes) {
  const Design& design = pattern.design;
  const Eigen::Index n_covariates = slopes.cols(), n_features = slopes.rows();
  const Eigen::MatrixXd explained =
      pattern.observed.asDiagonal() * multiply(slopes, design.gram_root.bottomRows(n_covariates));
  const Eigen::MatrixXd left = design.response_root - explained;
  Eigen::MatrixXd root(n_features, n_covariates + n_features);
  root << left.rightCols(n_covariates), design.residual_root;
  return make_pattern(pattern.n, pattern.observed, left.col(0) / std::sqrt(pattern.n),
                      multiply(root, root.transpose()));
}

}  // namespace

AdjustedGroups adjust_for_covariates(const Model& model, const std::vector<GroupStatistics>& groups,
                                     const std::atomic<bool>& stop) {
  const Eigen::Index n_features = model.n_features(), n_covariates = model.n_covariates;
  const Eigen::Index n_groups = static_cast<Eigen::Index>(groups.size());
  AdjustedGroups out;
  out.slopes.setZero(n_features * n_covariates, n_groups);
  out.precisions = out.slopes;
  std::vector<Normals> all(static_cast<std::size_t>(n_features), Normals(n_covariates));
  for (Eigen::Index k = 0; k < n_features; ++k) {
    for (const GroupStatistics& group : groups) {
      stop_if_asked(stop);
      for (const PatternStatistics& pattern : group.patterns) all[k].add(pattern, k);
    }
  }
  for (Eigen::Index g = 0; g < n_groups; ++g) {
    stop_if_asked(stop);
    const GroupStatistics& group = groups[g];
    Eigen::MatrixXd slopes(n_features, n_covariates);
    for (Eigen::Index k = 0; k < n_features; ++k) {
      Normals own(n_covariates);
      for (const PatternStatistics& pattern : group.patterns) own.add(pattern, k);
      const CholeskyFactor factor(own.squares);
      if (factor.exists() && own.n > static_cast<double>(n_covariates) + 1.0) {
        const Eigen::VectorXd estimate = factor.solve_vector(own.products);
        const Eigen::MatrixXd inverse =
            factor.solve(Eigen::MatrixXd::Identity(n_covariates, n_covariates));
        for (Eigen::Index c = 0; c < n_covariates; ++c) {
          out.slopes(c * n_features + k, g) = estimate[c];
          out.precisions(c * n_features + k, g) = 1.0 / inverse(c, c);
        }
      }
      // the first covariate's pooling stands for all
      const bool common = model.coefficients[n_features + k].complete();
      own.add(common ? 1e6 : (static_cast<double>(n_covariates) + 1.0) / std::max(all[k].n, 1.0),
              all[k]);
      slopes.row(k) = own.solve().transpose();
    }
    std::vector<PatternStatistics> patterns;
    for (const PatternStatistics& pattern : group.patterns) {
      patterns.push_back(adjust(pattern, slopes));
    }
    out.groups.push_back(make_group(std::move(patterns), n_features, model.frame_inverse));
  }
  return out;
}

}  // namespace hmvn
