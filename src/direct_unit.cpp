#include "direct_unit.h"

#include <chrono>
#include <cmath>

#include "hmvn/direct/covariance_target.hpp"
#include "hmvn/direct/direct_chain.hpp"

namespace hmvn {

namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

// What a direct chain's state says in the user's terms, with the parts of lp__.
void read_direct(const CovarianceTarget& target, const std::vector<GroupStatistics>& groups, const DirectChain& chain,
                 Draw& draw) {
  const Model& model = *target.model;
  const int n_features = model.n_features();
  const Eigen::MatrixXd& factor = chain.factor();
  draw.mean.resize(n_features, static_cast<Eigen::Index>(groups.size()));
  draw.factor.resize(n_coordinates(n_features), static_cast<Eigen::Index>(groups.size()));
  draw.log_likelihood = draw.log_prior = 0.0;
  const double log_root = factor.diagonal().array().log().sum();
  Eigen::MatrixXd white(n_features, n_features);
  Eigen::VectorXd residual(n_features);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const PatternStatistics& rows = groups[g].patterns[0];
    white = rows.scatter_root;
    factor.triangularView<Eigen::Lower>().solveInPlace(white);
    residual = rows.mean - chain.means().col(g);
    factor.triangularView<Eigen::Lower>().solveInPlace(residual);
    draw.log_likelihood -= rows.n * (0.5 * log_2pi * n_features + log_root) +
                           0.5 * (white.squaredNorm() + rows.n * residual.squaredNorm());
    for (int k = 0; k < n_features; ++k) {
      const double scale = model.mean_scale[k];
      draw.log_prior += log_normal_density(chain.means()(k, g) / scale) - std::log(scale);
    }
    draw.mean.col(g) = model.mean_location + chain.means().col(g);
    pack_lower(factor, draw.factor.col(g));
  }
  draw.scale0 = chain.log_sigma().array().exp();
  draw.correlation_factor0.resize(n_coordinates(n_features));
  pack_lower((draw.scale0.cwiseInverse().asDiagonal() * factor).eval(), draw.correlation_factor0);
  // LKJ density of the factor L of Omega: prod_i L_ii^(K - i + 2 eta - 2), i = 2..K (1-based), over its constant.
  for (int k = 0; k < n_features; ++k) {
    const double log_sigma = chain.log_sigma()[k];
    draw.log_prior += model.scale_priors[k].log_density_of_scale(log_sigma);
    if (k == 0) continue;
    draw.log_prior += (n_features - k - 3.0 + 2.0 * target.eta) * (std::log(factor(k, k)) - log_sigma);
    const PartialCorrelationPrior& prior = model.correlation_priors[k - 1];
    draw.log_prior += (n_features - k) * prior.log_density(0.0);
  }
}

constexpr int pilot_steps = 200, burn_in_steps = 100;
constexpr double least_acceptance = 0.3;  // of `algorithm = "auto"`

// Steps between draws, so that a draw is the one before it with probability at most a tenth.
int steps_between_draws(double acceptance) {
  if (acceptance >= 0.9) return 1;
  return static_cast<int>(std::ceil(std::log(0.1) / std::log1p(-std::max(acceptance, 0.01))));
}

UnitReport run_direct_chain(const UnitJob& job, const CovarianceTarget& target, DirectChain& chain,
                           int steps_a_draw, const SamplingPlan& plan, const std::atomic<bool>& stop,
                           std::atomic<long long>& iterations_done, DrawSink& sink) {
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < burn_in_steps; ++i) chain.advance();
  const Clock::time_point ready = Clock::now();
  UnitReport report;
  report.direct = true;
  Draw draw;
  for (int i = 0; i < plan.iter_sampling; ++i) {
    if (stop.load(std::memory_order_relaxed)) throw StopRequested();
    int accepted = 0;
    for (int step = 0; step < steps_a_draw; ++step) accepted += chain.advance();
    if ((i + 1) % plan.thin != 0) continue;
    read_direct(target, job.groups, chain, draw);
    TransitionStatistics facts;
    facts.accept_stat = static_cast<double>(accepted) / steps_a_draw;
    facts.energy = -(draw.log_likelihood + draw.log_prior);
    sink.record(i / plan.thin, draw, facts);
  }
  iterations_done += plan.chain.iter_warmup + plan.iter_sampling;
  report.warmup_seconds = seconds(ready - start);
  report.sampling_seconds = seconds(Clock::now() - ready);
  return report;
}

// Share of proposals accepted, from a stream of its own that is the same for all chains, so that all chains of a unit
// choose alike.
double pilot_acceptance(const UnitJob& job, const CovarianceTarget& target, const Eigen::MatrixXd& mode, double extra_df,
                        std::uint64_t seed) {
  DirectChain pilot(target, mode, extra_df, RandomStream(~seed, job.unit, 0));
  int accepted = 0;
  for (int i = 0; i < pilot_steps; ++i) accepted += pilot.advance();
  return static_cast<double>(accepted) / pilot_steps;
}

}  // namespace

bool sample_directly(const UnitJob& job, const SamplingPlan& plan, const std::atomic<bool>& stop,
                     std::atomic<long long>& iterations_done, DrawSink& sink, UnitReport& report) {
  if (!has_covariance_target(*job.model, job.groups)) return false;
  const CovarianceTarget target = make_covariance_target(*job.model, job.groups);
  Eigen::MatrixXd mode;
  if (!DirectChain::bounded(target) || !find_mode(target, mode)) return false;
  const double extra_df = DirectChain::choose_extra_df(target, mode);
  if (!DirectChain::exists(target, extra_df)) return false;
  const double acceptance = pilot_acceptance(job, target, mode, extra_df, plan.seed);
  if (plan.algorithm == Algorithm::automatic && acceptance < least_acceptance) return false;
  DirectChain chain(target, mode, extra_df, RandomStream(plan.seed, job.unit, job.chain));
  report = run_direct_chain(job, target, chain, steps_between_draws(acceptance), plan, stop, iterations_done, sink);
  return true;
}

}  // namespace hmvn
