// The one place that chooses the algorithm of a unit.
#include <utility>

#include "hmvn/sampling/direct.hpp"
#include "hmvn/sampling/hmc.hpp"
#include "hmvn/sampling/sampling.hpp"
#include "hmvn/sampling/turns.hpp"

namespace hmvn {

namespace {

// From here up in trial proposals, "auto" takes rejection or independence steps. Rejection is asked
// first: its draws are independent. Where fewer steps are accepted, quarter turns in Bartlett's
// coordinates give more effective draws a second, up to eight times as many.
constexpr double least_step_acceptance = 0.6, most_weight_spread = 4.0;

// Of more features proposals are not unrolled, and cost more beside the rest of a draw.
double least_exact_acceptance(const Model& model) { return model.n_features() > 10 ? 0.25 : 0.1; }

bool is_worthwhile(const DirectChoice& choice) {
  return choice.exact || (choice.steps.acceptance >= least_step_acceptance &&
                          choice.steps.weight_spread <= most_weight_spread);
}

// With fewer rows the prior says nearly all, and the coordinates of the scores, in which priors are
// normal, are better; so they are where a feature does not vary, and its prior alone says how far
// its standard deviation is from 0.
bool suits_turns(const DirectTarget& target) {
  return 2.0 * (target.n - target.n_groups) >= target.n_features() &&
         target.scatter.diagonal().minCoeff() > 0.0;
}

}  // namespace

std::unique_ptr<UnitSampler> make_unit_sampler(Unit unit, const SamplingPlan& plan,
                                               const std::atomic<bool>& stop) {
  if (plan.algorithm == Algorithm::nuts) return make_hmc_sampler(std::move(unit), plan, stop);
  const std::optional<DirectTarget> target = make_direct_target(*unit.model, unit.groups);
  std::optional<DirectProposal> proposal;
  if (target) proposal = make_direct_proposal(*target, stop);
  if (proposal) {
    const DirectChoice choice =
        choose_direct(*proposal, unit, plan, least_exact_acceptance(*unit.model), stop);
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
  if (target && suits_turns(*target)) {
    return make_turn_sampler(*target, unit.number, plan, stop);
  }
  return make_hmc_sampler(std::move(unit), plan, stop);
}

}  // namespace hmvn
