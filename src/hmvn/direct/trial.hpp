// Trial proposals: how often each way of direct sampling would be accepted.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "hmvn/direct/exact_sampler.hpp"
#include "hmvn/direct/independence_chain.hpp"

namespace hmvn {

// Of trial steps: the share accepted, and mean(w^2) / mean(w)^2 of the proposals' weights: how long
// a chain sits on a draw of large weight, which few trials show by their acceptance alone.
struct StepTrial {
  double acceptance = 0.0, weight_spread = 1.0;
};

// The mean of w / bound over proposals: the probability that rejection keeps one.
template <int K>
double exact_acceptance(ExactSampler<K>& sampler, RandomStream& random, int proposals,
                        const std::atomic<bool>& stop) {
  double sum = 0.0;
  for (int i = 0; i < proposals; ++i) {
    stop_if_asked(stop);
    sampler.propose(random);
    const double accepted = std::exp(sampler.log_acceptance());
    if (!std::isnan(accepted)) sum += accepted;
  }
  return sum / proposals;
}

template <int K>
StepTrial try_steps(const DirectTarget& target, const DirectMatch& match, RandomStream& random,
                    int steps, const std::atomic<bool>& stop) {
  IndependenceChain<K> chain(target, match, random, stop);
  int accepted = 0;
  std::vector<double> log_weights;
  for (int i = 0; i < steps; ++i) {
    stop_if_asked(stop);
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

}  // namespace hmvn
