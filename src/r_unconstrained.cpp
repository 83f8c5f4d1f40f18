// The border of densities on the unconstrained scale: a unit's posterior that R can ask again and
// again, draws to positions and back.
#include <Rcpp.h>

#include <memory>
#include <utility>
#include <vector>

#include "hmvn/coordinates/inverse.hpp"
#include "hmvn/math/packed.hpp"
#include "hmvn/posterior/posterior.hpp"
#include "parallel.h"
#include "r_check.h"
#include "r_model.h"
#include "r_storage.h"

using namespace hmvn;
using Rcpp::Named;

namespace {

// The coordinates are those of the data that the unit was made with; the rows may be others.
struct UnitDensity {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Coordinates> coordinates;
  std::unique_ptr<Posterior> posterior;
  double constant = 0.0;

  UnitDensity(std::shared_ptr<const Model> of_model, std::shared_ptr<const Coordinates> in,
              std::vector<GroupStatistics> groups)
      : model(std::move(of_model)),
        coordinates(std::move(in)),
        posterior(make_posterior(*model, *coordinates, std::move(groups), alone)),
        constant(log_constant(*coordinates)) {}

  int dimension() const { return coordinates->layout.dimension(); }
  int n_groups() const { return coordinates->layout.n_groups; }
  void check(const Rcpp::NumericMatrix& positions) const {
    check_length(positions.ncol(), dimension(), "positions");
  }
};

using DensityPointer = Rcpp::XPtr<UnitDensity>;

Eigen::VectorXd row_of(const Rcpp::NumericMatrix& positions, int row) {
  Eigen::VectorXd out(positions.ncol());
  for (int i = 0; i < out.size(); ++i) out[i] = positions(row, i);
  return out;
}

// One part of a fit's draws, [iteration, chain, index], or nothing.
class PartOfDraws {
 public:
  PartOfDraws(const Rcpp::List& draws, const char* name) {
    if (Rf_isNull(draws[name])) return;
    values_ = draws[name];
    extent_ = extent_of_draws(values_);
  }

  bool kept() const { return extent_.values > 0; }
  R_xlen_t size() const { return extent_.values; }
  // Entries from `first` on, of one draw.
  void read(R_xlen_t draw, R_xlen_t first, Eigen::Ref<Eigen::VectorXd> out) const {
    for (Eigen::Index i = 0; i < out.size(); ++i) {
      out[i] = values_[draw + extent_.draws() * (first + i)];
    }
  }
  Eigen::VectorXd whole(R_xlen_t draw) const {
    Eigen::VectorXd out(extent_.values);
    read(draw, 0, out);
    return out;
  }

 private:
  Rcpp::NumericVector values_{0};
  DrawsExtent extent_;
};

// What a position says of a unit, from the draws of a fit.
class DrawsOfUnit {
 public:
  DrawsOfUnit(const Rcpp::List& draws, const Model& model, int n_groups, int first_group)
      : factor_(draws, "chol"),
        scale0_(draws, "scale0"),
        correlation_factor0_(draws, "chol_cor0"),
        between_(draws, "chol_between"),
        h_mean_(draws, "h_mean"),
        h_slope_(draws, "h_slope"),
        h_scale_(draws, "h_sd"),
        h_correlation_(draws, "h_cor"),
        first_group_(first_group) {
    const int n_features = model.n_features(), size = packed_size(n_features);
    common_ = factor_.size() == size;
    draw_.factor.setZero(size, n_groups);
    if (factor_.kept() && !common_) {
      if (factor_.size() < static_cast<R_xlen_t>(size) * (first_group + n_groups)) {
        Rcpp::stop("there are fewer groups");
      }
    }
    draw_.scale0.setOnes(n_features);
    draw_.correlation_factor0.resize(size);
    pack_lower(Eigen::MatrixXd::Identity(n_features, n_features).eval(), draw_.correlation_factor0);
    const int n_between = static_cast<int>(model.between_features.size());
    draw_.between_factor.setIdentity(n_between, n_between);
  }

  const Draw& read(R_xlen_t draw) {
    for (Eigen::Index g = 0; g < draw_.factor.cols() && factor_.kept(); ++g) {
      const R_xlen_t at = common_ ? 0 : first_group_ + g;
      factor_.read(draw, at * draw_.factor.rows(), draw_.factor.col(g));
    }
    if (scale0_.kept()) draw_.scale0 = scale0_.whole(draw);
    if (correlation_factor0_.kept()) draw_.correlation_factor0 = correlation_factor0_.whole(draw);
    if (between_.kept()) unpack_lower(between_.whole(draw), draw_.between_factor);
    if (h_mean_.kept()) draw_.h_mean = h_mean_.whole(draw);
    if (h_slope_.kept()) draw_.h_slope = h_slope_.whole(draw);
    if (h_scale_.kept()) draw_.h_scale = h_scale_.whole(draw);
    if (h_correlation_.kept()) draw_.h_correlation = h_correlation_.whole(draw)[0];
    return draw_;
  }

 private:
  PartOfDraws factor_, scale0_, correlation_factor0_, between_, h_mean_, h_slope_, h_scale_,
      h_correlation_;
  R_xlen_t first_group_;
  bool common_ = false;
  Draw draw_;
};

}  // namespace

// The posterior of a unit, in the coordinates that its data call for: list(density, sizes), sizes
// of the parts of a position in their order; groups' own come last, group after group.
// [[Rcpp::export(rng = false)]]
Rcpp::List unit_density_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                         bool prior_only) {
  const auto model = std::make_shared<const Model>(unpack_model(model_list));
  std::vector<GroupStatistics> groups = unpack_groups(patterns, n_groups, *model, prior_only);
  const auto coordinates = std::make_shared<Coordinates>();
  RunControl control;
  run_jobs(
      1, 1, [&](std::size_t) { *coordinates = make_coordinates(*model, groups, control.stop); },
      control);
  const Layout& layout = coordinates->layout;
  const DensityPointer density(new UnitDensity(model, coordinates, std::move(groups)));
  return Rcpp::List::create(
      Named("density") = density,
      Named("sizes") = Rcpp::IntegerVector::create(
          Named("h") = layout.heterogeneities.size, Named("population") = layout.population.size,
          Named("common") = layout.common.size, Named("between") = layout.between.size,
          Named("own") = layout.n_own()));
}

// The same with other rows, in the same coordinates.
// [[Rcpp::export(rng = false)]]
SEXP unit_density_of_(SEXP density, const Rcpp::List& patterns) {
  const DensityPointer unit(density);
  return DensityPointer(
      new UnitDensity(unit->model, unit->coordinates,
                      unpack_groups(patterns, unit->n_groups(), *unit->model, false)));
}

// At every row of `positions`; -Inf where it cannot be computed.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector unit_log_density_(SEXP density, const Rcpp::NumericMatrix& positions) {
  const DensityPointer unit(density);
  unit->check(positions);
  Rcpp::NumericVector out(positions.nrow());
  for (int i = 0; i < positions.nrow(); ++i) {
    if (i % 1024 == 0) check_user();
    out[i] = unit->posterior->move(row_of(positions, i)) + unit->constant;
  }
  return out;
}

// The positions of all draws of a fit, [draw, entry]. `draws`: its part of that name; the unit's
// groups are stored from `first_group` on, from 0.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix unit_positions_(SEXP density, const Rcpp::List& draws, int first_group) {
  const DensityPointer unit(density);
  DrawsOfUnit stored(draws, *unit->model, unit->n_groups(), first_group);
  const R_xlen_t n_draws = extent_of_draws(draws["lp"]).draws();
  Rcpp::NumericMatrix out(static_cast<int>(n_draws), unit->dimension());
  for (int s = 0; s < out.nrow(); ++s) {
    if (s % 1024 == 0) check_user();
    const Eigen::VectorXd position =
        position_of_draw(*unit->model, *unit->coordinates, stored.read(s));
    for (int i = 0; i < out.ncol(); ++i) out(s, i) = position[i];
  }
  return out;
}

// Draws in the user's terms at every row of `positions`, as the sampler returns them; coefficients
// are drawn from their law given the rest.
// [[Rcpp::export(rng = false)]]
Rcpp::List unit_draws_(SEXP density, const Rcpp::NumericMatrix& positions, double seed,
                       int unit_number) {
  const DensityPointer unit(density);
  unit->check(positions);
  const int n = positions.nrow();
  Storage storage = allocate(*unit->model, {n, 1, unit->n_groups(), true, true});
  IterationFacts facts(n);
  UnitSink sink(*unit->model, storage, facts, {0, 0, 0});
  RandomStream random(static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(unit_number), 0);
  Rcpp::NumericVector log_joint(Rcpp::Dimension(n, 1, 1)), log_prior(Rcpp::Dimension(n, 1, 1));
  Draw draw;
  for (int i = 0; i < n; ++i) {
    if (i % 1024 == 0) check_user();
    if (!std::isfinite(unit->posterior->move(row_of(positions, i)))) {
      Rcpp::stop("there is no density at position %d", i + 1);
    }
    unit->posterior->read(random, draw);
    sink.record(i, draw, TransitionStatistics());
    log_joint[i] = draw.log_joint();
    log_prior[i] = draw.log_prior;
  }
  Rcpp::List draws = pack_draws(storage);
  draws["lp"] = log_joint;
  draws["lprior"] = log_prior;
  return draws;
}
