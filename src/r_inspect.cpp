// Looks into the core from R, for the tests: densities, gradients, moves, draws.
#include <Rcpp.h>

#include <memory>
#include <vector>

#include "hmvn/coordinates/adjusted.hpp"
#include "hmvn/model/group_likelihood.hpp"
#include "hmvn/model/regression_law.hpp"
#include "hmvn/posterior/posterior.hpp"
#include "hmvn/sampling/direct.hpp"
#include "hmvn/sampling/stopwatch.hpp"
#include "r_control.h"
#include "r_matrix.h"
#include "r_model.h"

using namespace hmvn;
using Rcpp::Named;

namespace {

using LongVector = Eigen::Matrix<long double, Eigen::Dynamic, 1>;

Eigen::VectorXd position_of(const Rcpp::NumericMatrix& positions, int column) {
  return Eigen::Map<const Eigen::VectorXd>(&positions(0, column), positions.nrow());
}

// The posterior of a unit of all groups, with what it refers to.
struct InspectedPosterior {
  Model model;
  std::vector<GroupStatistics> groups;
  Coordinates coordinates;
  std::unique_ptr<Posterior> posterior;

  InspectedPosterior(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list)
      : model(unpack_model(model_list)),
        groups(unpack_groups(patterns, n_groups, model, false)),
        coordinates(make_coordinates(model, groups, never_stop)),
        posterior(make()) {}

  std::unique_ptr<Posterior> make() const {
    return make_posterior(model, coordinates, groups, alone);
  }
  long double in_long_double(const LongVector& position) const {
    return long_log_density(model, coordinates, groups, position);
  }
};

Rcpp::List pack_draw(const Draw& draw) {
  return Rcpp::List::create(
      Named("mean") = as_r(draw.mean), Named("slope") = as_r(draw.slope),
      Named("slope0") = as_r(draw.slope0), Named("h_slope") = as_r(draw.h_slope),
      Named("chol") = as_r(draw.factor), Named("mean0") = as_r(draw.mean0),
      Named("scale0") = as_r(draw.scale0), Named("chol_cor0") = as_r(draw.correlation_factor0),
      Named("between") = as_r(draw.between_factor), Named("h_mean") = as_r(draw.h_mean),
      Named("h_sd") = as_r(draw.h_scale), Named("h_cor") = draw.h_correlation,
      Named("log_likelihood") = draw.log_likelihood, Named("log_prior") = draw.log_prior);
}

// Keeps means and factors of every draw, one column a draw.
class InspectingSink : public DrawSink {
 public:
  InspectingSink(int n_mean, int n_factor, int n_kept)
      : mean(n_mean, n_kept), factor(n_factor, n_kept) {}

  void record(int kept, const Draw& draw, const TransitionStatistics&) override {
    mean.col(kept) = Eigen::Map<const Eigen::VectorXd>(draw.mean.data(), draw.mean.size());
    factor.col(kept) = Eigen::Map<const Eigen::VectorXd>(draw.factor.data(), draw.factor.size());
  }
  void record(int kept, const DrawBatch& batch, const std::vector<TransitionStatistics>&) override {
    mean.middleCols(kept, batch.size) = batch.mean.topRows(batch.size).transpose();
    factor.topRows(batch.factor.cols()).middleCols(kept, batch.size) =
        batch.factor.topRows(batch.size).transpose();
  }

  Eigen::MatrixXd mean, factor;
};

}  // namespace

// Where everything stands in the position vector of the unit that holds all groups.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_layout_(int n_groups, const Rcpp::List& model_list) {
  const Layout layout = make_layout(unpack_model(model_list), n_groups);
  return Rcpp::List::create(Named("dimension") = layout.dimension(),
                            Named("shared") = layout.n_shared(), Named("own") = layout.n_own());
}

// Every group's likelihood given Sigma = factor factor', as a function of its mean: log of the part
// without the mean, the estimate of the mean (less `location`) and its covariance matrix.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_likelihood_(const Rcpp::List& patterns, int n_groups,
                               const Rcpp::NumericVector& location,
                               const Rcpp::NumericMatrix& factor) {
  const int n_features = factor.nrow();
  ModelParts parts;
  parts.coefficient_location = Eigen::Map<const Eigen::VectorXd>(location.begin(), location.size());
  const Model model(std::move(parts));
  const Frame<double, Eigen::Dynamic> frame(model);
  CovariancePoint<double, Eigen::Dynamic> point;
  point.resize(n_features);
  point.factor = Eigen::Map<const Eigen::MatrixXd>(factor.begin(), n_features, n_features);
  LikelihoodScratch<double, Eigen::Dynamic> scratch;
  scratch.resize(n_features);
  Rcpp::List out;
  for (const GroupStatistics& group : unpack_groups(patterns, n_groups, model, false)) {
    GroupLikelihood<double, Eigen::Dynamic> likelihood;
    likelihood.resize(n_features, group.nested.size());
    fill_likelihood<double, Eigen::Dynamic>({group, frame, point}, likelihood, scratch);
    out.push_back(Rcpp::List::create(
        Named("within") = likelihood.within, Named("estimate") = as_r(likelihood.estimate),
        Named("spread") = as_r(likelihood.spread), Named("complete") = group.complete()));
  }
  return out;
}

// The nests of every group's patterns, each list(places, n): the features in the order of the nest,
// from 1, and the weight of the rows that observe each.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_nests_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list) {
  const Model model = unpack_model(model_list);
  Rcpp::List out;
  for (const GroupStatistics& group : unpack_groups(patterns, n_groups, model, false)) {
    Rcpp::List nests;
    for (const NestedPatterns& nest : group.nested) {
      Rcpp::IntegerVector places(nest.places.begin(), nest.places.end());
      for (int& place : places) ++place;
      nests.push_back(Rcpp::List::create(Named("places") = places, Named("n") = as_r(nest.n)));
    }
    out.push_back(nests);
  }
  return out;
}

// Every group's log density given Sigma = factor factor', its coefficients integrated out under the
// prior that each group has by itself (P1), (P4).
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector inspect_regression_(const Rcpp::List& patterns, int n_groups,
                                        const Rcpp::List& model_list,
                                        const Rcpp::NumericMatrix& factor) {
  const Model model = unpack_model(model_list);
  const std::vector<GroupStatistics> groups = unpack_groups(patterns, n_groups, model, false);
  const int n = model.n_coefficients();
  RegressionLaw<double> law;
  law.resize(model, groups);
  for (int k = 0; k < n; ++k) law.prior().set(k, model.coefficient_scale[k], 1.0, 0.0);
  law.prior().finish();
  RegressionLaw<double>::Bench bench;
  bench.resize(model.n_features(), n);
  const Eigen::Map<const Eigen::MatrixXd> root(factor.begin(), factor.nrow(), factor.ncol());
  Rcpp::NumericVector out(n_groups);
  for (int g = 0; g < n_groups; ++g) {
    law.fill(g, groups[g], root * root.transpose(), bench);
    out[g] = law.group_log_density(g, groups[g], Eigen::VectorXd::Zero(n));
  }
  return out;
}

// At every column of `positions`: log density and gradient in double precision, and log density and
// (if wanted, else 0: they take long) its central differences by the same text in long double.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_density_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                            const Rcpp::NumericMatrix& positions, bool differences = true) {
  const InspectedPosterior inspected(patterns, n_groups, model_list);
  const int n = positions.nrow();
  constexpr long double step = 1e-5L;
  Rcpp::NumericVector log_density(positions.ncol()), long_density(positions.ncol());
  Rcpp::NumericMatrix gradient(n, positions.ncol()), difference(n, positions.ncol());
  Eigen::VectorXd slope(n);
  for (int c = 0; c < positions.ncol(); ++c) {
    const Eigen::VectorXd position = position_of(positions, c);
    const LongVector center = position.cast<long double>();
    log_density[c] = inspected.posterior->whole(position, slope);
    long_density[c] = static_cast<double>(inspected.in_long_double(center));
    for (int i = 0; i < n; ++i) gradient(i, c) = slope[i];
    for (int i = 0; i < n && differences; ++i) {
      LongVector high = center, low = center;
      high[i] += step;
      low[i] -= step;
      difference(i, c) = static_cast<double>(
          (inspected.in_long_double(high) - inspected.in_long_double(low)) / (2 * step));
    }
  }
  return Rcpp::List::create(Named("log_density") = log_density,
                            Named("long_density") = long_density, Named("gradient") = gradient,
                            Named("difference") = difference);
}

// At every column of `positions`: one draw in the user's terms, with the parts of lp__.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_draws_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                          const Rcpp::NumericMatrix& positions, double seed) {
  const InspectedPosterior inspected(patterns, n_groups, model_list);
  RandomStream random(static_cast<std::uint64_t>(seed), 0, 0);
  Rcpp::List draws(positions.ncol());
  Draw draw;
  for (int c = 0; c < positions.ncol(); ++c) {
    inspected.posterior->move(position_of(positions, c));
    inspected.posterior->read(random, draw);
    draws[c] = pack_draw(draw);
  }
  return draws;
}

// Does to one posterior what a sweep does, with `program`, a matrix of one step a row: part (0 what
// is shared, g group g, from 1), column of `positions` that is evaluated, and whether it is then
// moved to. Before every step the groups' mean population is drawn from a stream of its own. After
// every step: the density and gradient that were returned; the same of a new posterior that was
// moved to where this one ought to stand, with the gradient another way (what is shared: that of
// the whole; groups: differences of order 4); and the log density of both where they stand.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_moves_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                          const Rcpp::NumericMatrix& positions,
                          const Rcpp::IntegerMatrix& program) {
  const InspectedPosterior inspected(patterns, n_groups, model_list);
  const Layout& layout = inspected.coordinates.layout;
  Posterior& moved = *inspected.posterior;
  Eigen::VectorXd stands = position_of(positions, 0);
  moved.move(stands);
  Rcpp::List out(program.nrow());
  for (int s = 0; s < program.nrow(); ++s) {
    const int part = program(s, 0);
    const bool is_shared = part == 0;
    const Range range = is_shared ? Range{0, layout.n_shared()} : layout.own(part - 1);
    const Eigen::VectorXd x =
        position_of(positions, program(s, 1)).segment(range.begin, range.size);
    const auto evaluate = [&](Posterior& posterior, const Eigen::VectorXd& at,
                              Eigen::VectorXd& gradient) {
      return is_shared ? posterior.shared(at, gradient) : posterior.group(part - 1, at, gradient);
    };
    const std::unique_ptr<Posterior> fresh = inspected.make();
    fresh->move(stands);
    for (Posterior* posterior : {&moved, fresh.get()}) {
      RandomStream random(1, static_cast<std::uint64_t>(s), 0);
      posterior->draw_population(random);
    }
    Eigen::VectorXd gradient, fresh_gradient, unused, other(range.size);
    const double value = evaluate(moved, x, gradient);
    if (is_shared) {
      Eigen::VectorXd there = stands, whole;
      there.head(range.size) = x;
      fresh->whole(there, whole);
      other = whole.head(range.size);
    }
    for (int i = 0; i < range.size && !is_shared; ++i) {
      const auto at = [&](double shift) {
        Eigen::VectorXd shifted = x;
        shifted[i] += shift;
        return evaluate(*fresh, shifted, unused);
      };
      constexpr double h = 1e-3;
      other[i] = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
    }
    const double fresh_value = evaluate(*fresh, x, fresh_gradient);
    if (program(s, 2) != 0) {
      stands.segment(range.begin, range.size) = x;
      is_shared ? moved.move_shared(x) : moved.move_group(part - 1, x);
    }
    Draw draw, fresh_draw;
    fresh->move(stands);
    RandomStream random(2, 0, 0), same(2, 0, 0);
    moved.read(random, draw);
    fresh->read(same, fresh_draw);
    out[s] = Rcpp::List::create(
        Named("value") = value, Named("fresh_value") = fresh_value,
        Named("gradient") = as_r(gradient), Named("fresh_gradient") = as_r(fresh_gradient),
        Named("other_gradient") = as_r(other), Named("draw") = pack_draw(draw),
        Named("fresh_draw") = pack_draw(fresh_draw));
  }
  return out;
}

// Seconds that one evaluation of log density and gradient takes, over `repeats` of them.
// [[Rcpp::export(rng = false)]]
double time_gradient_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                      int repeats) {
  const InspectedPosterior inspected(patterns, n_groups, model_list);
  const Eigen::VectorXd position = Eigen::VectorXd::Zero(inspected.coordinates.layout.dimension());
  Eigen::VectorXd gradient;
  const Stopwatch watch;
  for (int i = 0; i < repeats; ++i) {
    inspected.posterior->whole(position, gradient);
  }
  return watch.seconds() / repeats;
}

// Runs chain 0 of a unit of all groups by so many iterations at a time as `pieces` says (they add
// up to all). Between two pieces the state is saved, and loaded into a run started anew; the seed
// of that run is of no account, as its stream is part of the state. Returns means and factors
// [value, draw], the algorithm, and the size of the last state in bytes.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_resumed_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                            const Rcpp::List& control, const Rcpp::IntegerVector& pieces) {
  const Model model = unpack_model(model_list);
  const SamplingPlan plan = unpack_plan(control);
  const std::vector<GroupStatistics> groups = unpack_groups(patterns, n_groups, model, false);
  const std::unique_ptr<UnitSampler> sampler =
      make_unit_sampler({&model, groups, 0}, plan, never_stop);
  RunControl run_control;
  std::unique_ptr<UnitRun> run = sampler->start(0, run_control, alone);
  InspectingSink sink(model.n_features() * n_groups, packed_size(model.n_features()) * n_groups,
                      plan.n_kept());
  std::size_t size = 0;
  for (int i = 0; i < pieces.size(); ++i) {
    if (i > 0) {
      StateWriter writer;
      run->save(writer);
      size = writer.bytes().size();
      run = sampler->start(static_cast<std::uint64_t>(i), run_control, alone);
      StateReader reader(writer.bytes());
      run->load(reader);
      reader.finish();
    }
    run->advance(pieces[i], sink);
  }
  if (!run->finished()) Rcpp::stop("pieces must add up to all iterations");
  return Rcpp::List::create(Named("mean") = as_r(sink.mean), Named("factor") = as_r(sink.factor),
                            Named("algorithm") = algorithm_name(run->report().algorithm),
                            Named("bytes") = static_cast<double>(size));
}

// Loads a state of `bytes` bytes less than, or with that many more than, were saved: what is
// thrown.
// [[Rcpp::export(rng = false)]]
void inspect_broken_state_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                           const Rcpp::List& control, int bytes) {
  const Model model = unpack_model(model_list);
  const SamplingPlan plan = unpack_plan(control);
  const std::vector<GroupStatistics> groups = unpack_groups(patterns, n_groups, model, false);
  const std::unique_ptr<UnitSampler> sampler =
      make_unit_sampler({&model, groups, 0}, plan, never_stop);
  RunControl run_control;
  const std::unique_ptr<UnitRun> run = sampler->start(0, run_control, alone);
  StateWriter writer;
  run->save(writer);
  StateBytes state = writer.bytes();
  state.resize(static_cast<std::size_t>(static_cast<long>(state.size()) + bytes));
  StateReader reader(state);
  run->load(reader);
  reader.finish();
}

// Whether a unit of all groups is left when asked to stop: while it is prepared, while the effect
// of covariates is taken, and while a chain of it is started.
// [[Rcpp::export(rng = false)]]
Rcpp::LogicalVector inspect_stop_(const Rcpp::List& patterns, int n_groups,
                                  const Rcpp::List& model_list, const Rcpp::List& control) {
  const Model model = unpack_model(model_list);
  const SamplingPlan plan = unpack_plan(control);
  const std::vector<GroupStatistics> groups = unpack_groups(patterns, n_groups, model, false);
  RunControl asked;
  asked.stop = true;
  const auto is_left = [](const auto& work) {
    try {
      work();
    } catch (const StopRequested&) {
      return true;
    }
    return false;
  };
  const std::unique_ptr<UnitSampler> sampler =
      make_unit_sampler({&model, groups, 0}, plan, never_stop);
  return Rcpp::LogicalVector::create(
      Named("prepare") = is_left([&] {
        make_unit_sampler({&model, groups, 0}, plan, asked.stop);
      }),
      Named("adjust") = model.n_covariates == 0 ||
                        is_left([&] { adjust_for_covariates(model, groups, asked.stop); }),
      Named("start") = is_left([&] { sampler->start(0, asked, alone); }));
}
