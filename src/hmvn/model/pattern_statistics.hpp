// What the rows that observe the same features say (M2), (M2').
#pragma once

#include <Eigen/Core>
#include <vector>

namespace hmvn {

// What rows say with covariates (M2'): Z = [1, x - centre], Y the features, less their prior
// locations. With [Z Y] = Q F', F is [gram_root, 0; response_root, residual_root], so that
// residuals are taken before they are squared.
struct Design {
  Eigen::MatrixXd gram_root, response_root, residual_root;
};

// Of rows of [x, y], x of so many covariates, from their sum of weights, their mean and a lower
// triangular root of their scatter matrix.
Design make_design(double n, const Eigen::VectorXd& mean, const Eigen::MatrixXd& root,
                   Eigen::Index n_covariates);

// One pattern of observed features in one group. Vectors are K long, the matrix K x K, and zero
// where not observed.
struct PatternStatistics {
  double n = 0.0;            // sum of weights
  int n_observed = 0;        // features observed
  Eigen::VectorXd observed;  // 1 where observed, else 0
  std::vector<int> places;   // of the features observed, ascending
  Eigen::VectorXd mean;      // of the rows, less the prior location of the means
  Eigen::MatrixXd scatter;   // centred
  Design design;             // empty without covariates
};

// `mean` and `scatter` are read where `observed` is 1.
PatternStatistics make_pattern(double n, const Eigen::VectorXd& observed,
                               const Eigen::VectorXd& mean, const Eigen::MatrixXd& scatter);

// The means (less their centres) and the scatter of covariates, and their scatter with the
// features.
struct CovariateMoments {
  Eigen::VectorXd mean;     // C
  Eigen::MatrixXd scatter;  // C x C
  Eigen::MatrixXd cross;    // C x K
};

// Adds what a pattern's covariates say; Y is measured from these slopes, K x C.
void add_design(const CovariateMoments& covariates, const Eigen::MatrixXd& slopes,
                PatternStatistics& pattern);

}  // namespace hmvn
