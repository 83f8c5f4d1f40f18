#include "direct_unit.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "hmvn/direct/exact_sampler.hpp"
#include "hmvn/direct/independence_chain.hpp"
#include "hmvn/model/log_product.hpp"
#include "with_features.h"

namespace hmvn {

namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

// From here up in trial proposals, "auto" takes rejection or independence steps. Rejection is asked
// first: its draws are independent, and ten of its proposals cost about as much as a draw by NUTS.
constexpr double least_exact_acceptance = 0.1, least_direct_acceptance = 0.25,
                 most_weight_spread = 4.0;
constexpr int short_pilot = 50, long_pilot = 1000, pilot_steps = 500, burn_in_steps = 100;

// Steps between draws, so that a draw is the one before it with probability at most a tenth.
int steps_between_draws(double acceptance) {
  if (acceptance >= 0.9) return 1;
  return static_cast<int>(std::ceil(std::log(0.1) / std::log1p(-std::max(acceptance, 0.01))));
}

// The mean of w / bound over proposals: the probability that rejection keeps one.
template <int K>
double exact_acceptance(ExactSampler<K>& sampler, RandomStream& random, int proposals) {
  double sum = 0.0;
  for (int i = 0; i < proposals; ++i) {
    sampler.propose(random);
    const double accepted = std::exp(sampler.log_acceptance());
    if (!std::isnan(accepted)) sum += accepted;
  }
  return sum / proposals;
}

template <int K>
StepTrial try_steps(const CovarianceTarget& target, const DirectMatch& match, RandomStream& random,
                    int steps) {
  IndependenceChain<K> chain(target, match, random);
  int accepted = 0;
  std::vector<double> log_weights;
  for (int i = 0; i < steps; ++i) {
    accepted += chain.advance(random);
    log_weights.push_back(chain.proposed_log_weight());
  }
  const double largest = *std::max_element(log_weights.begin(), log_weights.end());
  double sum = 0.0, squares = 0.0;
  for (const double log_weight : log_weights) {
    const double weight = std::exp(log_weight - largest);
    sum += weight;
    squares += weight * weight;
  }
  return {static_cast<double>(accepted) / steps, steps * squares / (sum * sum)};
}

// Writes a covariance matrix's draw, with its means and the parts of lp__, to a row of a block.
template <int K>
class BlockWriter {
 public:
  BlockWriter(const CovarianceTarget& target) : target_(target), n_features_(target.n_features()) {
    const Model& model = *target.model;
    white_.setZero(n_features_);
    deviation_.setZero(n_features_);
    log_likelihood_ = -0.5 * log_2pi * n_features_ * target.n;
    log_prior_ = target.n_groups *
                 (n_features_ * log_normal_density(0.0) - model.mean_scale.array().log().sum());
    for (int k = 1; k < n_features_; ++k)
      log_prior_ += (n_features_ - k) * model.correlation_priors[k - 1].log_density(0.0);
  }

  void write(const CovarianceDraw<K>& draw, MeanFactor<K>& means, double accept_stat,
             RandomStream& random, DrawBlock& block) {
    const int n_features = size_of<K>(n_features_);
    const int row = block.size++;
    // LKJ density of the factor L of Omega: prod_i L_ii^(K - i + 2 eta - 2), i = 2..K, over its
    // constant. |L| goes apart; the powers K - i are those of a product of products.
    LogProduct<> products;
    double product = 1.0;
    for (int k = 1; k < n_features - 1; ++k) {
      product *= draw.factor(k, k) / draw.sigma[k];
      products.multiply(product);
    }
    for (int k = 0, at = 0; k < n_features; ++k) {
      for (int j = 0; j <= k; ++j) block.factor(row, at++) = draw.factor(k, j);
    }
    for (int k = 0; k < block.sigma.cols(); ++k) block.sigma(row, k) = draw.sigma[k];
    // tr(S Sigma^-1)
    double quadratic = target_.degrees_of_freedom() * draw.size + draw.mismatch;
    double log_prior = log_prior_ + draw.log_scales + target_.sigma_power() * draw.log_sigma_sum +
                       (2.0 * target_.eta - 2.0) * (draw.log_root - draw.log_sigma_sum) +
                       (n_features > 2 ? products.value() : 0.0);
    for (int g = 0; g < means.n_groups(); ++g) {
      means.draw(g, draw.factor, random, white_, deviation_);
      quadratic += means.n(g) * white_.squaredNorm();
      log_prior += means.log_prior(g, deviation_);
      for (int k = 0; k < n_features; ++k) {
        block.mean(row, g * n_features + k) =
            target_.model->mean_location[k] + means.delta(g)[k] + deviation_[k];
      }
    }
    block.log_likelihood[row] = log_likelihood_ - target_.n * draw.log_root - 0.5 * quadratic;
    block.log_prior[row] = log_prior;
    block.accept_stat[row] = accept_stat;
  }

 private:
  const CovarianceTarget& target_;
  int n_features_;
  double log_likelihood_ = 0.0, log_prior_ = 0.0;  // constants
  Values<K> white_, deviation_;
};

template <int K>
class DirectUnitOf : public DirectUnit {
 public:
  DirectUnitOf(const UnitJob& job, const SamplingPlan& plan, CovarianceTarget target,
               DirectMatch match)
      : job_(job),
        plan_(plan),
        target_(std::move(target)),
        match_(std::move(match)),
        exact_(target_, match_) {
    // Trials come from a stream that all chains share, so that all choose alike.
    RandomStream random(~plan.seed, job.unit, 0);
    double acceptance = exact_acceptance(exact_, random, short_pilot);
    if (acceptance < 2.5 * least_exact_acceptance)
      acceptance = exact_acceptance(exact_, random, long_pilot);
    exact_chosen_ = acceptance >= least_exact_acceptance;
    if (!exact_chosen_) steps_ = try_steps<K>(target_, match_, random, pilot_steps);
  }

  bool worthwhile() const {
    return exact_chosen_ || (steps_.acceptance >= least_direct_acceptance &&
                             steps_.weight_spread <= most_weight_spread);
  }

  UnitReport sample(std::uint64_t chain, const std::atomic<bool>& stop,
                    std::atomic<long long>& iterations_done, DrawSink& sink) override {
    RandomStream random(plan_.seed, job_.unit, chain);
    const UnitReport report =
        exact_chosen_ ? sample_exactly(random, stop, sink) : sample_by_steps(random, stop, sink);
    iterations_done += plan_.chain.iter_warmup + plan_.iter_sampling;
    return report;
  }

 private:
  UnitReport sample_exactly(RandomStream& random, const std::atomic<bool>& stop, DrawSink& sink) {
    // A draw that takes a thousand times the proposals of the least acceptance has come up against
    // a wrong weight.
    constexpr int most = static_cast<int>(1000 / least_exact_acceptance);
    const auto advance = [&] {
      if (exact_.advance(random, most) == 0)
        throw std::logic_error("direct sampling is not accepted");
      return 1.0;
    };
    // Thinned draws would be independent of those kept: they are not made.
    return fill(exact_, advance, UnitAlgorithm::exact, Clock::now(), random, stop, sink);
  }

  UnitReport sample_by_steps(RandomStream& random, const std::atomic<bool>& stop, DrawSink& sink) {
    const Clock::time_point start = Clock::now();
    IndependenceChain<K> chain(target_, match_, random);
    for (int i = 0; i < burn_in_steps; ++i) chain.advance(random);
    const int steps = steps_between_draws(steps_.acceptance) * plan_.thin;
    const auto advance = [&] {
      int accepted = 0;
      for (int step = 0; step < steps; ++step) accepted += chain.advance(random);
      return static_cast<double>(accepted) / steps;
    };
    return fill(chain, advance, UnitAlgorithm::direct, start, random, stop, sink);
  }

  template <class Sampler, class Advance>
  UnitReport fill(Sampler& sampler, const Advance& advance, UnitAlgorithm algorithm,
                  Clock::time_point start, RandomStream& random, const std::atomic<bool>& stop,
                  DrawSink& sink) {
    const Clock::time_point ready = Clock::now();
    BlockWriter<K> writer(target_);
    DrawBlock block(target_.n_features(), sampler.means().n_groups(), !job_.model->groups_apart());
    const int n_kept = plan_.n_kept();
    for (int kept = 0; kept < n_kept; ++kept) {
      if (stop.load(std::memory_order_relaxed)) throw StopRequested();
      const double accept_stat = advance();
      writer.write(sampler.draw(), sampler.means(), accept_stat, random, block);
      if (block.size == DrawBlock::capacity || kept == n_kept - 1) {
        sink.record(kept + 1 - block.size, block);
        block.size = 0;
      }
    }
    UnitReport report;
    report.algorithm = algorithm;
    report.warmup_seconds = seconds(ready - start);
    report.sampling_seconds = seconds(Clock::now() - ready);
    return report;
  }

  const UnitJob& job_;
  const SamplingPlan& plan_;
  const CovarianceTarget target_;
  const DirectMatch match_;
  ExactSampler<K> exact_;
  bool exact_chosen_ = false;
  StepTrial steps_;
};

constexpr int most_known_direct_features = 10;  // the code is small

}  // namespace

std::unique_ptr<DirectUnit> prepare_direct_unit(const UnitJob& job, const SamplingPlan& plan) {
  if (!has_covariance_target(*job.model, job.groups)) return nullptr;
  const CovarianceTarget target = make_covariance_target(*job.model, job.groups);
  DirectMatch match;
  if (!make_direct_match(target, match)) return nullptr;
  return with_features<most_known_direct_features>(
      target.n_features(), [&](auto size) -> std::unique_ptr<DirectUnit> {
        std::unique_ptr<DirectUnitOf<size>> unit(new DirectUnitOf<size>(job, plan, target, match));
        if (plan.algorithm == Algorithm::automatic && !unit->worthwhile()) return nullptr;
        return unit;
      });
}

DirectAcceptance measure_acceptance(const CovarianceTarget& target, const DirectMatch& match,
                                    std::uint64_t seed, int proposals) {
  return with_features<most_known_direct_features>(target.n_features(), [&](auto size) {
    RandomStream random(seed, 0, 0);
    ExactSampler<size> sampler(target, match);
    DirectAcceptance acceptance;
    acceptance.exact = exact_acceptance(sampler, random, proposals);
    acceptance.steps = try_steps<size>(target, match, random, proposals);
    return acceptance;
  });
}

}  // namespace hmvn
