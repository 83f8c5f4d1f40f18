// The border of comparisons of groups: one number a draw.
#include <Rcpp.h>

#include <algorithm>
#include <stdexcept>

#include "hmvn/math/packed.hpp"
#include "hmvn/predict/distance.hpp"
#include "parallel.h"

using namespace hmvn;

namespace {

// Draws that one job takes.
constexpr int draws_per_job = 256;

// Calls each(first, last) for all draws, block after block.
template <class Each>
void for_each_block(int n_draws, int cores, const Each& each) {
  const int n_jobs = (n_draws + draws_per_job - 1) / draws_per_job;
  run_jobs(static_cast<std::size_t>(n_jobs), cores, [&](std::size_t job) {
    const int first = static_cast<int>(job) * draws_per_job;
    each(first, std::min(n_draws, first + draws_per_job));
  });
}

using DrawMatrix = Eigen::Map<const Eigen::MatrixXd>;

DrawMatrix map_draws(const Rcpp::NumericMatrix& values) {
  return DrawMatrix(values.begin(), values.nrow(), values.ncol());
}

}  // namespace

// `chol`: packed factors [draw, entry]. Returns the logarithms of the covariance matrices, packed
// likewise.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix log_covariances_(const Rcpp::NumericMatrix& chol, int n_features, int cores) {
  if (chol.ncol() != packed_size(n_features)) throw std::invalid_argument("wrong size of factors");
  const DrawMatrix packed = map_draws(chol);
  Rcpp::NumericMatrix out(chol.nrow(), chol.ncol());
  Eigen::Map<Eigen::MatrixXd> to(out.begin(), out.nrow(), out.ncol());
  for_each_block(chol.nrow(), cores, [&](int first, int last) {
    Eigen::MatrixXd factor(n_features, n_features);
    for (int s = first; s < last; ++s) {
      unpack_lower(packed.row(s), factor);
      pack_lower(log_covariance(factor), to.row(s));
    }
  });
  return out;
}

// Means [draw, K] and packed factors [draw, entry] of two groups. Returns [draw, 3]: the
// affine-invariant, Bhattacharyya's and Jeffreys' distance.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix normal_distances_(const Rcpp::NumericMatrix& mean_a,
                                      const Rcpp::NumericMatrix& chol_a,
                                      const Rcpp::NumericMatrix& mean_b,
                                      const Rcpp::NumericMatrix& chol_b, int cores) {
  const int n_draws = mean_a.nrow(), n_features = mean_a.ncol();
  for (const Rcpp::NumericMatrix& chol : {chol_a, chol_b}) {
    if (chol.nrow() != n_draws || chol.ncol() != packed_size(n_features))
      throw std::invalid_argument("wrong size of factors");
  }
  if (mean_b.nrow() != n_draws || mean_b.ncol() != n_features)
    throw std::invalid_argument("wrong size of means");
  const DrawMatrix means[2] = {map_draws(mean_a), map_draws(mean_b)};
  const DrawMatrix chols[2] = {map_draws(chol_a), map_draws(chol_b)};
  Rcpp::NumericMatrix out(n_draws, 3);
  Eigen::Map<Eigen::MatrixXd> to(out.begin(), n_draws, 3);
  for_each_block(n_draws, cores, [&](int first, int last) {
    NormalLaw laws[2];
    for (NormalLaw& law : laws) law.factor.resize(n_features, n_features);
    for (int s = first; s < last; ++s) {
      for (int i = 0; i < 2; ++i) {
        laws[i].mean = means[i].row(s).transpose();
        unpack_lower(chols[i].row(s), laws[i].factor);
      }
      const NormalDistances found = normal_distances(laws[0], laws[1]);
      to.row(s) << found.affine_invariant, found.bhattacharyya, found.jeffreys;
    }
  });
  return out;
}
