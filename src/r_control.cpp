#include "r_control.h"

#include <stdexcept>
#include <string>

namespace hmvn {

namespace {

Algorithm unpack_algorithm(const std::string& name) {
  if (name == "auto") return Algorithm::automatic;
  if (name == "nuts") return Algorithm::nuts;
  if (name == "direct") return Algorithm::direct;
  throw std::invalid_argument("unknown algorithm: " + name);
}

}  // namespace

SamplingPlan unpack_plan(const Rcpp::List& control) {
  SamplingPlan plan;
  plan.algorithm = unpack_algorithm(Rcpp::as<std::string>(control["algorithm"]));
  plan.chain.iter_warmup = Rcpp::as<int>(control["iter_warmup"]);
  plan.chain.warmup_by_data = Rcpp::as<bool>(control["warmup_by_data"]);
  plan.chain.max_tree_depth = Rcpp::as<int>(control["max_treedepth"]);
  plan.chain.target_accept = Rcpp::as<double>(control["adapt_delta"]);
  plan.target_accept_scarce = Rcpp::as<double>(control["adapt_delta_scarce"]);
  plan.chain.init_radius = Rcpp::as<double>(control["init"]);
  plan.iter_sampling = Rcpp::as<int>(control["iter_sampling"]);
  plan.thin = Rcpp::as<int>(control["thin"]);
  plan.seed = static_cast<std::uint64_t>(Rcpp::as<double>(control["seed"]));
  if (control.containsElementNamed("max_bytes")) {
    plan.max_bytes = Rcpp::as<double>(control["max_bytes"]);
  }
  return plan;
}

const char* algorithm_name(UnitAlgorithm algorithm) {
  switch (algorithm) {
    case UnitAlgorithm::exact:
      return "exact";
    case UnitAlgorithm::direct:
      return "direct";
    case UnitAlgorithm::hmc:
      return "hmc";
    case UnitAlgorithm::nuts:
      return "nuts";
  }
  throw std::logic_error("unknown algorithm");
}

void signal_failure(const SamplingFailure& failure) {
  Rcpp::List condition =
      Rcpp::List::create(Rcpp::Named("message") = failure.what(), Rcpp::Named("call") = R_NilValue,
                         Rcpp::Named("topic") = failure.topic());
  condition.attr("class") = Rcpp::CharacterVector::create("hmvn_core_error", "error", "condition");
  Rcpp::Function("stop", R_BaseEnv)(condition);
  throw std::logic_error("stop() has returned");
}

}  // namespace hmvn
