// The border of new groups: one for every draw.
#include <Rcpp.h>

#include "hmvn/predict/new_group.hpp"
#include "parallel.h"
#include "r_model.h"

using namespace hmvn;

namespace {

// Marks the streams of new groups: no sampling unit has this number.
constexpr std::uint64_t new_group_stream = 0x6e65772067726f75ULL;

// A matrix [draw, index], or NULL.
class Rows {
 public:
  explicit Rows(SEXP values) : present_(!Rf_isNull(values)) {
    if (present_) values_ = Rcpp::NumericMatrix(values);
  }

  // Row `draw` into `out`, which stays as it is where there are no rows.
  void read(int draw, Eigen::Ref<Eigen::VectorXd> out) const {
    if (present_ && (draw >= values_.nrow() || out.size() != values_.ncol())) {
      Rcpp::stop("draws of the population have another shape");
    }
    for (int i = 0; present_ && i < values_.ncol(); ++i) out[i] = values_(draw, i);
  }

 private:
  bool present_;
  Rcpp::NumericMatrix values_;
};

}  // namespace

// `population`: list(mean0, slope0, scale0, chol_cor0, chol_between, h_mean, h_slope, h_sd, h_cor)
// of matrices [draw, index] or NULL; `streams`: each draw's number. Returns list(mean [draw, K],
// slope [draw, K C], chol [draw, K(K+1)/2]).
// [[Rcpp::export(rng = false)]]
Rcpp::List new_group_(const Rcpp::List& model_list, const Rcpp::List& population,
                      const Rcpp::IntegerVector& streams, double seed) {
  const Model model = unpack_model(model_list);
  const int n_features = model.n_features(), n_draws = static_cast<int>(streams.size());
  const int n_slopes = model.n_coefficients() - n_features;
  const Rows mean0(population["mean0"]), slope0(population["slope0"]), scale0(population["scale0"]),
      chol_cor0(population["chol_cor0"]), chol_between(population["chol_between"]),
      h_mean(population["h_mean"]), h_slope(population["h_slope"]), h_sd(population["h_sd"]),
      h_cor(population["h_cor"]);
  Rcpp::NumericMatrix mean(n_draws, n_features), slope(n_draws, n_slopes),
      chol(n_draws, n_coordinates(n_features));
  NewGroup new_group(model);
  Population at(model);
  Eigen::VectorXd coefficients, factor, h = Eigen::VectorXd::Zero(1);
  for (int s = 0; s < n_draws; ++s) {
    if (s % 256 == 0) check_user();
    mean0.read(s, at.coefficients.head(n_features));
    slope0.read(s, at.coefficients.tail(n_slopes));
    scale0.read(s, at.scale);
    chol_cor0.read(s, at.correlation_factor);
    chol_between.read(s, at.between_factor);
    h_mean.read(s, at.h_coefficients.head(n_features));
    h_slope.read(s, at.h_coefficients.tail(n_slopes));
    h_sd.read(s, at.h_scale);
    h_cor.read(s, h);
    at.h_correlation = h[0];
    RandomStream random(static_cast<std::uint64_t>(seed), new_group_stream,
                        static_cast<std::uint64_t>(streams[s]));
    new_group.draw(at, random, coefficients, factor);
    for (int k = 0; k < n_features; ++k) mean(s, k) = coefficients[k];
    for (int i = 0; i < n_slopes; ++i) slope(s, i) = coefficients[n_features + i];
    for (int m = 0; m < chol.ncol(); ++m) chol(s, m) = factor[m];
  }
  return Rcpp::List::create(Rcpp::Named("mean") = mean, Rcpp::Named("slope") = slope,
                            Rcpp::Named("chol") = chol);
}
