// The border of comparisons of groups: one number a draw.
#include <Rcpp.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "hmvn/diagnostics/spread.hpp"
#include "hmvn/math/packed.hpp"
#include "hmvn/predict/distance.hpp"
#include "hmvn/predict/overlap.hpp"
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

// The draws of the Normal distributions of two groups, checked: means [draw, K], packed factors
// [draw, entry].
class TwoGroups {
 public:
  TwoGroups(const Rcpp::NumericMatrix& mean_a, const Rcpp::NumericMatrix& chol_a,
            const Rcpp::NumericMatrix& mean_b, const Rcpp::NumericMatrix& chol_b)
      : means_{map_draws(mean_a), map_draws(mean_b)}, chols_{map_draws(chol_a), map_draws(chol_b)} {
    for (const DrawMatrix& chol : chols_) {
      if (chol.rows() != n_draws() || chol.cols() != packed_size(n_features()))
        throw std::invalid_argument("wrong size of factors");
    }
    if (means_[1].rows() != n_draws() || means_[1].cols() != n_features())
      throw std::invalid_argument("wrong size of means");
  }

  int n_draws() const { return static_cast<int>(means_[0].rows()); }
  int n_features() const { return static_cast<int>(means_[0].cols()); }
  NormalDraws draws(int group) const { return {means_[group], chols_[group]}; }

  // One number or more of every draw: each(a, b, draw).
  template <class Each>
  void for_each_draw(int cores, const Each& each) const {
    for_each_block(n_draws(), cores, [&](int first, int last) {
      NormalLaw laws[2];
      for (NormalLaw& law : laws) law.factor.resize(n_features(), n_features());
      for (int s = first; s < last; ++s) {
        for (int i = 0; i < 2; ++i) {
          laws[i].mean = means_[i].row(s).transpose();
          unpack_lower(chols_[i].row(s), laws[i].factor);
        }
        each(laws[0], laws[1], s);
      }
    });
  }

 private:
  DrawMatrix means_[2], chols_[2];
};

}  // namespace

// `chol`: packed factors [draw, entry]. Returns the logarithms of the covariance matrices, packed
// likewise, with what is off the diagonal, and stands for two entries, times sqrt(2): distances of
// rows are then those of matrices.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix log_covariances_(const Rcpp::NumericMatrix& chol, int n_features, int cores) {
  if (chol.ncol() != packed_size(n_features)) throw std::invalid_argument("wrong size of factors");
  const DrawMatrix packed = map_draws(chol);
  Rcpp::NumericMatrix out(chol.nrow(), chol.ncol());
  Eigen::Map<Eigen::MatrixXd> to(out.begin(), out.nrow(), out.ncol());
  for_each_block(chol.nrow(), cores, [&](int first, int last) {
    Eigen::MatrixXd factor(n_features, n_features), logarithm(n_features, n_features);
    for (int s = first; s < last; ++s) {
      unpack_lower(packed.row(s), factor);
      logarithm = std::sqrt(2.0) * log_covariance(factor);
      logarithm.diagonal() /= std::sqrt(2.0);
      pack_lower(logarithm, to.row(s));
    }
  });
  return out;
}

// The Euclidean distance of two matrices, row by row.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector row_distances_(const Rcpp::NumericMatrix& a, const Rcpp::NumericMatrix& b) {
  if (a.nrow() != b.nrow() || a.ncol() != b.ncol()) throw std::invalid_argument("unequal sizes");
  Rcpp::NumericVector out(a.nrow());
  Eigen::Map<Eigen::ArrayXd> sum(out.begin(), out.size());
  const DrawMatrix from = map_draws(a), to = map_draws(b);
  for (Eigen::Index j = 0; j < from.cols(); ++j) sum += (from.col(j) - to.col(j)).array().square();
  sum = sum.sqrt();
  return out;
}

// Of two groups, see TwoGroups. Returns [draw, 3]: the affine-invariant, Bhattacharyya's and
// Jeffreys' distance.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix normal_distances_(const Rcpp::NumericMatrix& mean_a,
                                      const Rcpp::NumericMatrix& chol_a,
                                      const Rcpp::NumericMatrix& mean_b,
                                      const Rcpp::NumericMatrix& chol_b, int cores) {
  const TwoGroups groups(mean_a, chol_a, mean_b, chol_b);
  Rcpp::NumericMatrix out(groups.n_draws(), 3);
  Eigen::Map<Eigen::MatrixXd> to(out.begin(), groups.n_draws(), 3);
  for_each_block(groups.n_draws(), cores, [&](int first, int last) {
    NormalDistances found(groups.n_features());
    for (int s = first; s < last; s += NormalDistances::lanes) {
      const int n = std::min(last - s, NormalDistances::lanes);
      found(groups.draws(0), groups.draws(1), s);
      to.col(0).segment(s, n) = found.affine_invariant.head(n);
      to.col(1).segment(s, n) = found.bhattacharyya.head(n);
      to.col(2).segment(s, n) = found.jeffreys.head(n);
    }
  });
  return out;
}

// Of every column of draws `a`, less those of `b` if it has any: mean, standard deviation,
// quantiles at `probs`, the share above 0 and the share nearer to 0 than `half_widths` has it (one
// a column; NA: not asked for), a row a column.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix spread_of_columns_(const Rcpp::NumericMatrix& a, const Rcpp::NumericMatrix& b,
                                       const Rcpp::NumericVector& probs,
                                       const Rcpp::NumericVector& half_widths, int cores) {
  const bool less = b.ncol() > 0;
  if ((less && (a.nrow() != b.nrow() || a.ncol() != b.ncol())) || half_widths.size() != a.ncol())
    throw std::invalid_argument("unequal sizes");
  if (a.nrow() == 0) throw std::invalid_argument("no draws");
  const Spread spread(static_cast<std::size_t>(a.nrow()), {probs.begin(), probs.end()});
  Rcpp::NumericMatrix out(a.ncol(), static_cast<int>(probs.size()) + 4);
  Eigen::Map<Eigen::MatrixXd> to(out.begin(), out.nrow(), out.ncol());
  const DrawMatrix from = map_draws(a), minus = map_draws(b);
  const double* widths = half_widths.begin();
  run_jobs(static_cast<std::size_t>(a.ncol()), cores, [&](std::size_t job) {
    const Eigen::Index column = static_cast<Eigen::Index>(job);
    Eigen::VectorXd draws = from.col(column);
    if (less) draws -= minus.col(column);
    spread(draws.data(), widths[column], [&](std::size_t i, double value) {
      to(column, static_cast<Eigen::Index>(i)) = std::isnan(value) ? NA_REAL : value;
    });
  });
  return out;
}

// Of two groups, see TwoGroups: the probability, by draw, that a member of the first lies within
// the ellipsoid of the second. `points`: see share_within().
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector shares_within_(const Rcpp::NumericMatrix& mean_a,
                                   const Rcpp::NumericMatrix& chol_a,
                                   const Rcpp::NumericMatrix& mean_b,
                                   const Rcpp::NumericMatrix& chol_b, double squared_radius,
                                   const Rcpp::NumericMatrix& points, int cores) {
  const TwoGroups groups(mean_a, chol_a, mean_b, chol_b);
  if (points.nrow() != groups.n_features() - 1 || points.ncol() < 1)
    throw std::invalid_argument("wrong size of points");
  const DrawMatrix at = map_draws(points);
  Rcpp::NumericVector out(groups.n_draws());
  double* to = out.begin();
  groups.for_each_draw(cores, [&](const NormalLaw& a, const NormalLaw& b, int draw) {
    to[draw] = share_within(a, b, squared_radius, at);
  });
  return out;
}
