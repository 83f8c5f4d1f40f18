// What the likelihood knows of the data (M2), in the form the density uses.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace hmvn {

// What a pattern's rows say with covariates (M2'): Z = [1, x - centre], Y the features, less their
// prior locations and zero where not observed. With [Z Y] = Q F', F is [gram_root, 0;
// response_root, residual_root], so that residuals are taken before they are squared. Empty without
// covariates.
struct Design {
  Eigen::MatrixXd gram, cross;  // Z'Z; Y'Z
  Eigen::MatrixXd gram_root, response_root, residual_root;
};

// One pattern of observed features in one group. Everything is K long or K x K and zero where not
// observed: 1 - observed is added to a diagonal to make a block invertible without changing it.
struct PatternStatistics {
  double n = 0.0;            // sum of weights
  int n_observed = 0;        // features observed
  Eigen::VectorXd observed;  // 1 where observed, else 0
  std::vector<int> places;   // of the features observed
  Eigen::VectorXd mean;      // of the rows, less the prior location of the means
  Eigen::MatrixXd scatter;   // centred
  // Lower triangular, scatter = scatter_root * scatter_root', of features observed alone.
  Eigen::MatrixXd scatter_root;
  bool has_scatter = false;  // not zero
  Design design;
};

struct GroupStatistics {
  std::vector<PatternStatistics> patterns;
  Eigen::VectorXd observed;  // 1 where observed in some row of the group
  double n = 0.0;
  int n_observed = 0;

  bool complete() const {
    return patterns.size() == 1 && patterns[0].n_observed == patterns[0].observed.size();
  }
};

// The lower triangular root of a positive semidefinite matrix.
Eigen::MatrixXd semidefinite_root(const Eigen::MatrixXd& scatter);

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

// `frame_inverse`: C^-1 of (F1), or empty. Complete rows are whitened by it: their scatter root is
// that of C^-1 S C^-1.
GroupStatistics make_group(std::vector<PatternStatistics> patterns, Eigen::Index n_features,
                           const Eigen::MatrixXd& frame_inverse);

}  // namespace hmvn
