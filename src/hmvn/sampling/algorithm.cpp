// The one place that chooses the algorithm of a unit.
#include <utility>

#include "hmvn/sampling/direct.hpp"
#include "hmvn/sampling/hmc.hpp"
#include "hmvn/sampling/sampling.hpp"
#include "hmvn/sampling/turns.hpp"

namespace hmvn {

namespace {

// From here up in trial proposals, "auto" takes rejection or independence steps. Rejection is asked
// first: its draws are independent, and ten of its proposals cost about as much as a draw by NUTS.
constexpr double least_exact_acceptance = 0.1, least_step_acceptance = 0.25;
constexpr double most_weight_spread = 4.0;

bool is_worthwhile(const DirectChoice& choice) {
  return choice.exact || (choice.steps.acceptance >= least_step_acceptance &&
                          choice.steps.weight_spread <= most_weight_spread);
}

}  // namespace

std::unique_ptr<UnitSampler> make_unit_sampler(Unit unit, const SamplingPlan& plan,
                                               const std::atomic<bool>& stop) {
  if (plan.algorithm == Algorithm::nuts) return make_hmc_sampler(std::move(unit), plan, stop);
  std::optional<DirectProposal> proposal = make_direct_proposal(unit, stop);
  if (proposal) {
    const DirectChoice choice = choose_direct(*proposal, unit, plan, least_exact_acceptance, stop);
    if (plan.algorithm == Algorithm::direct || is_worthwhile(choice)) {
      return make_direct_sampler(std::move(unit), std::move(*proposal), choice, plan);
    }
  }
  if (plan.algorithm == Algorithm::direct) {
    throw SamplingFailure(
        "direct_not_applicable",
        "direct sampling needs complete rows, more of them than twice the features, unpooled "
        "means, and own or completely pooled covariance matrices");
  }
  if (std::unique_ptr<UnitSampler> sampler = make_turn_sampler(unit, plan, stop)) return sampler;
  return make_hmc_sampler(std::move(unit), plan, stop);
}

}  // namespace hmvn
