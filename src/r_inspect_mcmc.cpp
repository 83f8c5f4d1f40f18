// Looks into mcmc/ from R, for its tests: movers, chains and what they learn, on targets whose
// distribution is known.
#include <Rcpp.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "hmvn/mcmc/chain.hpp"
#include "hmvn/mcmc/nuts.hpp"
#include "hmvn/mcmc/quarter_turn.hpp"
#include "r_matrix.h"

using namespace hmvn;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Eigen::VectorXd vector_of(const Rcpp::NumericVector& v) {
  return Eigen::Map<const Eigen::VectorXd>(v.begin(), v.size());
}

Eigen::MatrixXd matrix_of(const Rcpp::NumericMatrix& m) {
  return Eigen::Map<const Eigen::MatrixXd>(m.begin(), m.nrow(), m.ncol());
}

Rcpp::NumericMatrix columns_as_r(const std::vector<Eigen::VectorXd>& columns, Eigen::Index n_rows) {
  Eigen::MatrixXd m(n_rows, static_cast<Eigen::Index>(columns.size()));
  for (std::size_t j = 0; j < columns.size(); ++j) m.col(static_cast<Eigen::Index>(j)) = columns[j];
  return as_r(m);
}

RandomStream stream_of(double seed, int i) {
  return RandomStream(static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(i), 0);
}

MetricShape metric_of(const std::string& name) {
  return name == "dense" ? MetricShape::dense : MetricShape::diagonal;
}

// ---------------------------------------------------------------------------------------------
// Targets: log densities up to a constant.

using LogDensity = std::function<double(const Eigen::VectorXd&, Eigen::VectorXd&)>;

LogDensity make_normal(const Eigen::VectorXd& mean, const Eigen::MatrixXd& precision) {
  return [mean, precision](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    gradient = precision * (mean - x);
    return 0.5 * gradient.dot(x - mean);
  };
}

// x[0] ~ normal(0, sd); every other x ~ normal(0, exp(x[0] / 2)).
LogDensity make_funnel(double sd) {
  return [sd](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    const double precision = std::exp(-x[0]), n = static_cast<double>(x.size() - 1);
    const double squares = x.tail(x.size() - 1).squaredNorm();
    gradient = -precision * x;
    gradient[0] = -x[0] / (sd * sd) + 0.5 * squares * precision - 0.5 * n;
    return -0.5 * x[0] * x[0] / (sd * sd) - 0.5 * squares * precision - 0.5 * n * x[0];
  };
}

// Standard normal where x[0] < wall, impossible beyond.
LogDensity make_cliff(double wall) {
  return [wall](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    gradient = -x;
    return x[0] < wall ? -0.5 * x.squaredNorm() : -infinity;
  };
}

LogDensity make_flat() {
  return [](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    gradient.setZero(x.size());
    return 0.0;
  };
}

// Finite at one position and `beyond` at all others.
LogDensity make_spike(const Eigen::VectorXd& at, double beyond) {
  return [at, beyond](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    gradient.setZero(x.size());
    return x == at ? 0.0 : beyond;
  };
}

LogDensity make_log_density(const Rcpp::List& target) {
  const std::string name = target["name"];
  if (name == "normal")
    return make_normal(vector_of(target["mean"]), matrix_of(target["precision"]));
  if (name == "funnel") return make_funnel(target["sd"]);
  if (name == "cliff") return make_cliff(target["wall"]);
  if (name == "flat") return make_flat();
  if (name == "spike") return make_spike(vector_of(target["at"]), target["beyond"]);
  Rcpp::stop("no such target: " + name);
}

// A target that remembers where it was evaluated.
class WatchedTarget {
 public:
  explicit WatchedTarget(const Rcpp::List& target) : log_density_(make_log_density(target)) {}

  double operator()(const Eigen::VectorXd& position, Eigen::VectorXd& gradient) {
    path_.push_back(position);
    return log_density_(position, gradient);
  }

  const std::vector<Eigen::VectorXd>& path() const { return path_; }
  void forget_path() { path_.clear(); }

 private:
  LogDensity log_density_;
  std::vector<Eigen::VectorXd> path_;
};

// ---------------------------------------------------------------------------------------------
// Movers and states, from a list of settings.

// Calls `use` with the mover that the settings name.
template <class Use>
void with_mover(const Rcpp::List& settings, Eigen::Index n, const Use& use) {
  const std::string name = settings["mover"];
  const int max_tree_depth = settings["max_tree_depth"];
  if (name == "nuts") {
    Nuts mover(n, never_stop, max_tree_depth);
    use(mover);
  } else {
    QuarterTurn mover(n, never_stop, settings["least_steps"], max_tree_depth,
                      settings["refined_share"]);
    use(mover);
  }
}

// A state at `position`, standardised by a mean and a covariance matrix (or, of a diagonal metric,
// a column of variances) if the settings have them.
ChainState make_state(WatchedTarget& target, const Rcpp::List& settings,
                      const Eigen::VectorXd& position) {
  ChainState state(position.size(), metric_of(settings["metric"]));
  state.max_energy_error = settings["max_energy_error"];
  state.step_size = settings["step_size"];
  if (settings.containsElementNamed("mean")) {
    state.map.learn(vector_of(settings["mean"]), matrix_of(settings["covariance"]));
  }
  state.map.to_standard(position, state.current.standard);
  state.evaluate(target, state.current);
  return state;
}

// Facts about transitions, one row each.
class FactTable {
 public:
  explicit FactTable(int n) : table_(n, 6) {
    Rcpp::colnames(table_) = Rcpp::CharacterVector::create("accept_stat", "step_size", "energy",
                                                           "tree_depth", "n_leapfrog", "divergent");
  }

  void set(int row, const TransitionStatistics& facts) {
    const double values[] = {facts.accept_stat,
                             facts.step_size,
                             facts.energy,
                             static_cast<double>(facts.tree_depth),
                             static_cast<double>(facts.n_leapfrog),
                             static_cast<double>(facts.divergent)};
    for (int j = 0; j < 6; ++j) table_(row, j) = values[j];
  }

  const Rcpp::NumericMatrix& table() const { return table_; }

 private:
  Rcpp::NumericMatrix table_;
};

}  // namespace

// `n_steps` steps of a mover, of the settings' step size (back in time if it is negative), from a
// position and a momentum of its standardised space: positions and momenta there, one column each,
// the start's first, and energies.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_steps_(const Rcpp::List& target, const Rcpp::List& settings,
                          const Rcpp::NumericVector& standard, const Rcpp::NumericVector& momentum,
                          int n_steps) {
  WatchedTarget watched(target);
  ChainState state = make_state(watched, settings, vector_of(standard));
  PhasePoint& z = state.current;
  z.standard = vector_of(standard);
  z.momentum = vector_of(momentum);
  state.evaluate(watched, z);
  std::vector<Eigen::VectorXd> positions{z.standard}, momenta{z.momentum};
  Rcpp::NumericVector energy = Rcpp::NumericVector::create(z.energy());
  with_mover(settings, z.standard.size(), [&](auto& mover) {
    for (int i = 0; i < n_steps; ++i) {
      mover.move(watched, state, z, state.step_size);
      positions.push_back(z.standard);
      momenta.push_back(z.momentum);
      energy.push_back(z.energy());
    }
  });
  const Eigen::Index n = z.standard.size();
  return Rcpp::List::create(Rcpp::Named("standard") = columns_as_r(positions, n),
                            Rcpp::Named("momentum") = columns_as_r(momenta, n),
                            Rcpp::Named("energy") = energy);
}

// One transition from every column of `starts`, each with a state and a stream of its own: where it
// ends, facts, and where the target was evaluated on the way.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_transitions_(const Rcpp::List& target, const Rcpp::List& settings,
                                const Rcpp::NumericMatrix& starts, double seed) {
  const Eigen::MatrixXd from = matrix_of(starts);
  const int n_starts = starts.ncol();
  Eigen::MatrixXd ends(from.rows(), from.cols());
  FactTable facts(n_starts);
  Rcpp::List paths(n_starts);
  with_mover(settings, from.rows(), [&](auto& mover) {
    for (int i = 0; i < n_starts; ++i) {
      WatchedTarget watched(target);
      ChainState state = make_state(watched, settings, from.col(i));
      RandomStream random = stream_of(seed, i);
      watched.forget_path();
      const TransitionStatistics one = mover.transition(watched, state, random);
      facts.set(i, one);
      Eigen::VectorXd end(from.rows());
      state.map.to_position(state.current.standard, end);
      ends.col(i) = end;
      paths[i] = columns_as_r(watched.path(), from.rows());
    }
  });
  return Rcpp::List::create(Rcpp::Named("ends") = as_r(ends), Rcpp::Named("facts") = facts.table(),
                            Rcpp::Named("paths") = paths);
}

// A chain's iterations, in warm-up and after it: draws (one row each), facts, where the target was
// evaluated, in the transition and then by what is learned, and the iterations of warm-up.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_chain_(const Rcpp::List& target, const Rcpp::List& settings,
                          const Rcpp::NumericVector& start, int iter_sampling, double seed,
                          int number) {
  ChainSettings chain_settings;
  chain_settings.iter_warmup = settings["iter_warmup"];
  chain_settings.warmup_by_data = settings["warmup_by_data"];
  chain_settings.max_tree_depth = settings["max_tree_depth"];
  chain_settings.target_accept = settings["target_accept"];
  chain_settings.metric = metric_of(settings["metric"]);
  chain_settings.max_energy_error = settings["max_energy_error"];
  const int iterations = chain_settings.iter_warmup + iter_sampling;
  const Eigen::VectorXd position = vector_of(start);
  Eigen::MatrixXd draws(iterations, position.size());
  FactTable facts(iterations);
  Rcpp::List paths(iterations);
  int iter_warmup = 0;
  with_mover(settings, position.size(), [&](auto& mover) {
    WatchedTarget watched(target);
    RandomStream random = stream_of(seed, number);
    Chain chain(watched, mover, position, chain_settings, random);
    for (int i = 0; i < iterations; ++i) {
      watched.forget_path();
      iter_warmup += !chain.warmed_up();
      const TransitionStatistics one = chain.advance(watched, mover, random);
      if (chain.settled()) chain.finish_warmup();
      facts.set(i, one);
      draws.row(i) = chain.position();
      paths[i] = columns_as_r(watched.path(), position.size());
    }
  });
  return Rcpp::List::create(Rcpp::Named("draws") = as_r(draws),
                            Rcpp::Named("facts") = facts.table(), Rcpp::Named("paths") = paths,
                            Rcpp::Named("iter_warmup") = iter_warmup);
}

// The step size that a search from the settings' step size finds at `position`, and the positions
// that were tried.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_step_size_search_(const Rcpp::List& target, const Rcpp::List& settings,
                                     const Rcpp::NumericVector& position, double seed) {
  WatchedTarget watched(target);
  ChainState state = make_state(watched, settings, vector_of(position));
  RandomStream random = stream_of(seed, 0);
  watched.forget_path();
  with_mover(settings, position.size(),
             [&](auto& mover) { mover.find_reasonable_step_size(watched, state, random); });
  return Rcpp::List::create(Rcpp::Named("step_size") = state.step_size,
                            Rcpp::Named("path") = columns_as_r(watched.path(), position.size()));
}

// Dual averaging after each acceptance statistic: the step size and the averaged one. Restarts at
// `restarts[i]` before the i-th, where that is not NA.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix inspect_dual_averaging_(double target_accept, double largest,
                                            const Rcpp::NumericVector& accept_stats,
                                            const Rcpp::NumericVector& restarts) {
  DualAveragingSettings settings;
  settings.target_accept = target_accept;
  DualAveraging averaging(settings, largest);
  Rcpp::NumericMatrix out(static_cast<int>(accept_stats.size()), 2);
  for (int i = 0; i < out.nrow(); ++i) {
    if (!Rcpp::NumericVector::is_na(restarts[i])) averaging.restart(restarts[i]);
    averaging.advance(accept_stats[i]);
    out(i, 0) = averaging.step_size();
    out(i, 1) = averaging.averaged_step_size();
  }
  return out;
}

// What the columns of `draws` teach (count, mean, covariance), and what a standardisation that has
// learned it makes of `positions` and of the gradient `gradients` at each: standard positions,
// these mapped back, standardised gradients.
// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_standardisation_(const std::string& metric, const Rcpp::NumericMatrix& draws,
                                    const Rcpp::NumericMatrix& positions,
                                    const Rcpp::NumericMatrix& gradients) {
  const Eigen::MatrixXd taught = matrix_of(draws), at = matrix_of(positions),
                        slopes = matrix_of(gradients);
  CovarianceEstimator estimator(taught.rows(), metric_of(metric));
  estimator.add(Eigen::VectorXd::Constant(taught.rows(), 1e3));  // to be forgotten
  estimator.restart();
  for (Eigen::Index j = 0; j < taught.cols(); ++j) estimator.add(taught.col(j));
  Standardisation map(taught.rows(), metric_of(metric));
  map.learn(estimator.mean(), estimator.covariance());
  Eigen::MatrixXd standard = at, back = at, standardised = at;
  Eigen::VectorXd z(at.rows()), x(at.rows()), slope(at.rows());
  for (Eigen::Index j = 0; j < at.cols(); ++j) {
    map.to_standard(at.col(j), z);
    map.to_position(z, x);
    map.standardise_gradient(slopes.col(j), slope);
    standard.col(j) = z;
    back.col(j) = x;
    standardised.col(j) = slope;
  }
  using Rcpp::Named;
  return Rcpp::List::create(
      Named("count") = estimator.count(), Named("mean") = as_r(estimator.mean()),
      Named("covariance") = as_r(estimator.covariance()), Named("standard") = as_r(standard),
      Named("back") = as_r(back), Named("gradient") = as_r(standardised));
}

// [[Rcpp::export(rng = false)]]
Rcpp::List inspect_warmup_(int iter_warmup) {
  const WarmupSchedule schedule = make_warmup_schedule(iter_warmup);
  return Rcpp::List::create(Rcpp::Named("first_slow") = schedule.first_slow,
                            Rcpp::Named("window_ends") = Rcpp::wrap(schedule.window_ends));
}
