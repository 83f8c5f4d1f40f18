// The groups' means and slopes on covariates (M1'), integrated out exactly: their joint law given
// every group's covariance matrix. For any number of features and covariates; MeanLaw is the same
// without covariates.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "hmvn/model/coefficient_prior.hpp"
#include "hmvn/model/group_statistics.hpp"
#include "hmvn/model/model.hpp"
#include "hmvn/model/nested_regression.hpp"
#include "hmvn/model/population_law.hpp"
#include "hmvn/random/random_stream.hpp"

namespace hmvn {

// A group's coefficients theta are the columns of a matrix [feature, 1 + covariate], one below the
// other: the means at the covariates' centres, then the slopes on each covariate; less their prior
// locations. Given Sigma the log likelihood is quadratic in theta, with information Lambda (C1'),
// which may be singular, and so may the prior covariance D. With M = (I + Lambda D)^-1 and C^-1 = M
// Lambda, given T u_0 = m
//   theta is Normal(m + D alpha, D M),   alpha = M (score at m) = M (score at 0) - C^-1 m,
// and the group's density with theta integrated out is
//   likelihood at m + D alpha, times exp(-alpha' D alpha / 2) |M|^(1/2):
// no inverse of D or Lambda, and no difference of large numbers.
//
// Order of calls: the prior's; fill() for every group; the population's, from what is added of
// each. Then what is asked for. Groups may be looked at at the same time, each with its own bench.
template <class T>
class RegressionLaw {
 public:
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  using Square = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

  // Room to work on one group after the other; holds nothing from one call to the next but what a
  // function says that it fills.
  struct Bench {
    RegressionScratch<T> scratch;
    Square information;  // Lambda
    Vector score;        // at 0
    Square of_covariance, of_prior;

    void resize(int n_features, int n_coefficients) {
      scratch.resize(n_features, n_coefficients);
      for (Square* m : {&information, &of_prior}) m->setZero(n_coefficients, n_coefficients);
      score.setZero(n_coefficients);
      of_covariance.setZero(n_features, n_features);
    }
  };

  void resize(const Model& model, const std::vector<GroupStatistics>& groups);

  CoefficientPrior<T, Eigen::Dynamic>& prior() { return prior_; }
  const CoefficientPrior<T, Eigen::Dynamic>& prior() const { return prior_; }
  PopulationLaw<T, Eigen::Dynamic>& population() { return population_; }
  const PopulationLaw<T, Eigen::Dynamic>& population() const { return population_; }

  // What follows of a group's covariance matrix. False where it cannot be computed.
  bool fill(std::size_t g, const GroupStatistics& group, const Square& covariance, Bench& bench);

  // Adds what a group says of the population.
  void add(std::size_t g, GroupSums<T, Eigen::Dynamic>& sums) const {
    sums.add(groups_[g].precision, groups_[g].weighted);
  }

  // The log density of a group's rows, its coefficients integrated out, where T u_0 = `population`.
  T group_log_density(std::size_t g, const GroupStatistics& group, const Vector& population);

  // That of a group's rows given its coefficients.
  T log_likelihood(std::size_t g, const GroupStatistics& group, const Vector& coefficients) const;

  // Fills the gradients of a group's part: twice that in Sigma, and that in D. Of the population
  // mean and covariance matrix are known, or it was drawn (`population_known`).
  void differentiate(std::size_t g, const GroupStatistics& group, bool population_known,
                     Bench& bench) const;
  // That in H from the sum of those in D: 2 (d log p / dD) H.
  Square prior_root_gradient(const Square& of_prior) const;
  const Vector& alpha(std::size_t g) const { return groups_[g].alpha; }

  // Draws a group's coefficients from their exact law given T u_0 = `population`.
  void draw(std::size_t g, const GroupStatistics& group, const Vector& population,
            RandomStream& random, Eigen::Ref<Eigen::VectorXd> coefficients) const;

 private:
  // Of one group at its covariance matrix.
  struct Part {
    std::vector<RegressionPoint<T>> nested;
    Square shrink, precision;  // M, C^-1
    T log_determinant = T(0);  // of I + Lambda D
    Vector weighted;           // M (score at 0)
    Vector alpha, mean;        // and m + D alpha
  };

  Eigen::Index n_features_ = 0;
  Vector unit_;  // prior scales: what coefficients are measured in where matrices are inverted
  CoefficientPrior<T, Eigen::Dynamic> prior_;
  PopulationLaw<T, Eigen::Dynamic> population_;
  std::vector<Part> groups_;
};

}  // namespace hmvn
