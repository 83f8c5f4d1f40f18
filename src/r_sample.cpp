// The border of the sampler: unpack, run the chains, pack.
#include <Rcpp.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "parallel.h"
#include "r_model.h"
#include "unit_sampler.h"

using namespace hmvn;

namespace {

// An R array [iteration, chain, index] that workers write through a plain pointer. Not set to zero
// first: every value is written once, and touching gigabytes twice is felt. Without values where
// the user keeps none.
class DrawArray {
 public:
  DrawArray() = default;
  DrawArray(int n_iterations, int n_chains, R_xlen_t n_values)
      : n_iterations_(n_iterations),
        stride_(static_cast<R_xlen_t>(n_iterations) * n_chains),
        array_(Rcpp::no_init(stride_ * n_values)),
        data_(array_.begin()) {
    array_.attr("dim") =
        Rcpp::NumericVector::create(n_iterations, n_chains, static_cast<double>(n_values));
  }

  template <class Values>
  void write(int iteration, int chain, R_xlen_t first, const Values& values) {
    if (data_ == nullptr) return;
    double* at = data_ + iteration + static_cast<R_xlen_t>(chain) * n_iterations_ + first * stride_;
    for (Eigen::Index i = 0; i < values.size(); ++i) at[i * stride_] = values(i);
  }
  void write_value(int iteration, int chain, double value) {
    data_[iteration + static_cast<R_xlen_t>(chain) * n_iterations_] = value;
  }
  // The first `n` rows of `columns`, a matrix with one row a draw and one column an index from
  // `first` on.
  void write_columns(int iteration, int chain, R_xlen_t first, const Eigen::MatrixXd& columns,
                     int n) {
    if (data_ == nullptr) return;
    double* at = data_ + iteration + static_cast<R_xlen_t>(chain) * n_iterations_ + first * stride_;
    for (Eigen::Index i = 0; i < columns.cols(); ++i)
      std::copy_n(columns.data() + i * columns.rows(), n, at + i * stride_);
  }
  bool kept() const { return data_ != nullptr; }
  SEXP get() const { return data_ == nullptr ? R_NilValue : static_cast<SEXP>(array_); }

 private:
  R_xlen_t n_iterations_ = 0, stride_ = 0;
  Rcpp::NumericVector array_{0};
  double* data_ = nullptr;
};

// What the whole fit keeps; units write disjoint parts of the first group.
struct Storage {
  DrawArray mean, factor, mean0, scale0, correlation_factor0, h_mean, h_scale, h_correlation;
};

// Per-iteration facts of the units of one job, to be summed over jobs in a fixed order.
struct JobFacts {
  std::vector<double> accept_stat, step_size, n_leapfrog, energy, log_likelihood, log_prior;
  std::vector<int> tree_depth, divergent;

  void resize(int n) {
    for (auto* v : {&accept_stat, &step_size, &n_leapfrog, &energy, &log_likelihood, &log_prior})
      v->assign(n, 0.0);
    tree_depth.assign(n, 0);
    divergent.assign(n, 0);
  }
};

class UnitSink : public DrawSink {
 public:
  UnitSink(const Model& model, Storage& storage, JobFacts& facts, int chain, R_xlen_t first_group)
      : model_(model), storage_(storage), facts_(facts), chain_(chain), first_group_(first_group) {}

  void record(int kept, const Draw& draw, const TransitionStatistics& facts) override {
    const bool one_mean = model_.mean.complete();
    const bool one_factor =
        model_.scale.complete() && (model_.correlation.complete() || model_.n_features() == 1);
    for (Eigen::Index g = 0; storage_.mean.kept() && g < (one_mean ? 1 : draw.mean.cols()); ++g) {
      storage_.mean.write(kept, chain_, (first_group_ + g) * draw.mean.rows(), draw.mean.col(g));
    }
    for (Eigen::Index g = 0; storage_.factor.kept() && g < (one_factor ? 1 : draw.factor.cols());
         ++g) {
      storage_.factor.write(kept, chain_, (first_group_ + g) * draw.factor.rows(),
                            draw.factor.col(g));
    }
    if (model_.mean.pooling != Pooling::none) storage_.mean0.write(kept, chain_, 0, draw.mean0);
    if (model_.scale.pooling != Pooling::none) storage_.scale0.write(kept, chain_, 0, draw.scale0);
    if (model_.n_features() > 1) {
      if (model_.correlation.pooling != Pooling::none) {
        storage_.correlation_factor0.write(kept, chain_, 0, draw.correlation_factor0);
      }
      if (model_.correlation.partial())
        storage_.h_correlation.write_value(kept, chain_, draw.h_correlation);
    }
    if (model_.mean.partial()) storage_.h_mean.write(kept, chain_, 0, draw.h_mean);
    if (model_.scale.partial()) storage_.h_scale.write(kept, chain_, 0, draw.h_scale);
    facts_.accept_stat[kept] += facts.accept_stat;
    facts_.step_size[kept] += facts.step_size;
    facts_.n_leapfrog[kept] += facts.n_leapfrog;
    facts_.energy[kept] += facts.energy;
    facts_.log_likelihood[kept] += draw.log_likelihood;
    facts_.log_prior[kept] += draw.log_prior;
    facts_.tree_depth[kept] = std::max(facts_.tree_depth[kept], facts.tree_depth);
    facts_.divergent[kept] += facts.divergent;
  }

  void record(int kept, const DrawBlock& block) override {
    storage_.mean.write_columns(kept, chain_, first_group_ * model_.n_features(), block.mean,
                                block.size);
    const R_xlen_t first = first_group_ * n_coordinates(model_.n_features());
    storage_.factor.write_columns(kept, chain_, first, block.factor, block.size);
    if (!model_.groups_apart()) record_population(kept, block);
    for (int i = 0; i < block.size; ++i) {
      facts_.accept_stat[kept + i] += block.accept_stat[i];
      facts_.energy[kept + i] -= block.log_likelihood[i] + block.log_prior[i];
      facts_.log_likelihood[kept + i] += block.log_likelihood[i];
      facts_.log_prior[kept + i] += block.log_prior[i];
    }
  }

 private:
  // Where scales or correlations are completely pooled, the population has the groups' own.
  void record_population(int kept, const DrawBlock& block) {
    storage_.scale0.write_columns(kept, chain_, 0, block.sigma, block.size);
    if (model_.n_features() == 1) return;
    Eigen::MatrixXd correlation_factor = block.factor;
    for (int i = 0, at = 0; i < model_.n_features(); ++i) {
      for (int j = 0; j <= i; ++j, ++at)
        correlation_factor.col(at).array() /= block.sigma.col(i).array();
    }
    storage_.correlation_factor0.write_columns(kept, chain_, 0, correlation_factor, block.size);
  }

  const Model& model_;
  Storage& storage_;
  JobFacts& facts_;
  int chain_;
  R_xlen_t first_group_;
};

// Whether an element of `control` that may be absent is not FALSE.
bool unpack_flag(const Rcpp::List& control, const char* name) {
  return !control.containsElementNamed(name) || Rcpp::as<bool>(control[name]);
}

Storage allocate(const Model& model, const Rcpp::List& control, int n_kept, R_xlen_t n_groups) {
  const R_xlen_t n_features = model.n_features(), n_packed = n_coordinates(model.n_features());
  const bool one_factor =
      model.scale.complete() && (model.correlation.complete() || n_features == 1);
  const int n_chains = Rcpp::as<int>(control["chains"]);
  Storage storage;
  const auto array = [&](R_xlen_t n) { return DrawArray(n_kept, n_chains, n); };
  if (unpack_flag(control, "keep_mean"))
    storage.mean = array(n_features * (model.mean.complete() ? 1 : n_groups));
  if (unpack_flag(control, "keep_chol"))
    storage.factor = array(n_packed * (one_factor ? 1 : n_groups));
  if (model.mean.pooling != Pooling::none) storage.mean0 = array(n_features);
  if (model.scale.pooling != Pooling::none) storage.scale0 = array(n_features);
  if (n_features > 1 && model.correlation.pooling != Pooling::none)
    storage.correlation_factor0 = array(n_packed);
  if (model.mean.partial()) storage.h_mean = array(n_features);
  if (model.scale.partial()) storage.h_scale = array(n_features);
  if (n_features > 1 && model.correlation.partial()) storage.h_correlation = array(1);
  return storage;
}

Algorithm unpack_algorithm(const std::string& name) {
  if (name == "auto") return Algorithm::automatic;
  if (name == "nuts") return Algorithm::nuts;
  if (name == "direct") return Algorithm::direct;
  throw std::invalid_argument("unknown algorithm: " + name);
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

SamplingPlan unpack_plan(const Rcpp::List& control) {
  SamplingPlan plan;
  plan.algorithm = unpack_algorithm(Rcpp::as<std::string>(control["algorithm"]));
  plan.chain.iter_warmup = Rcpp::as<int>(control["iter_warmup"]);
  plan.chain.max_tree_depth = Rcpp::as<int>(control["max_treedepth"]);
  plan.chain.target_accept = Rcpp::as<double>(control["adapt_delta"]);
  plan.target_accept_scarce = Rcpp::as<double>(control["adapt_delta_scarce"]);
  plan.chain.init_radius = Rcpp::as<double>(control["init"]);
  plan.iter_sampling = Rcpp::as<int>(control["iter_sampling"]);
  plan.thin = Rcpp::as<int>(control["thin"]);
  plan.seed = static_cast<std::uint64_t>(Rcpp::as<double>(control["seed"]));
  return plan;
}

}  // namespace

// Samples all units with all chains. `report` is called with the iterations done and due, about ten
// times a second.
// [[Rcpp::export(rng = false)]]
Rcpp::List sample_(const Rcpp::List& patterns, int n_groups, const Rcpp::List& model_list,
                   const Rcpp::List& control, const Rcpp::Function& report) {
  const Model model = unpack_model(model_list);
  const std::vector<GroupStatistics> groups =
      unpack_groups(patterns, n_groups, model.mean_location, Rcpp::as<bool>(control["prior_only"]));
  const SamplingPlan plan = unpack_plan(control);
  const int n_chains = Rcpp::as<int>(control["chains"]);
  const int n_kept = plan.n_kept();
  const int n_units = model.groups_apart() ? n_groups : 1;
  // Units are cut into slices by their number alone: neither draws nor sums depend on the number of
  // cores. Where there are slices enough, all chains of a unit are one job, so that what they share
  // is prepared once.
  const int n_slices = std::min(n_units, 64);
  const bool chains_together = n_slices == 64;
  Storage storage = allocate(model, control, n_kept, n_groups);
  std::vector<JobFacts> facts(static_cast<std::size_t>(n_slices) * n_chains);
  std::vector<UnitReport> reports(static_cast<std::size_t>(n_units) * n_chains);
  std::atomic<bool> stop{false};
  std::atomic<long long> iterations_done{0};
  const long long iterations_due =
      static_cast<long long>(n_units) * n_chains * (plan.chain.iter_warmup + plan.iter_sampling);

  const auto run_slice = [&](int slice, int first_chain, int last_chain) {
    for (int chain = first_chain; chain < last_chain; ++chain)
      facts[slice * n_chains + chain].resize(n_kept);
    const long long first = static_cast<long long>(n_units) * slice / n_slices;
    const long long last = static_cast<long long>(n_units) * (slice + 1) / n_slices;
    for (long long unit = first; unit < last; ++unit) {
      UnitSampler sampler(model, n_units == 1 ? groups : std::vector<GroupStatistics>{groups[unit]},
                          static_cast<std::uint64_t>(unit), plan);
      for (int chain = first_chain; chain < last_chain; ++chain) {
        UnitSink sink(model, storage, facts[slice * n_chains + chain], chain, unit);
        reports[static_cast<std::size_t>(chain) * n_units + unit] =
            sampler.sample(static_cast<std::uint64_t>(chain), stop, iterations_done, sink);
      }
    }
  };
  const auto job = [&](std::size_t j) {
    const int index = static_cast<int>(j);
    if (chains_together) {
      run_slice(index, 0, n_chains);
    } else {
      run_slice(index / n_chains, index % n_chains, index % n_chains + 1);
    }
  };
  run_jobs(
      chains_together ? n_slices : facts.size(), Rcpp::as<int>(control["cores"]), job, stop,
      [&] { report(static_cast<double>(iterations_done), static_cast<double>(iterations_due)); });

  Rcpp::NumericVector log_joint(Rcpp::Dimension(n_kept, n_chains, 1)),
      log_prior(Rcpp::Dimension(n_kept, n_chains, 1));
  Rcpp::NumericMatrix accept_stat(n_kept, n_chains), step_size(n_kept, n_chains),
      tree_depth(n_kept, n_chains), n_leapfrog(n_kept, n_chains), divergent(n_kept, n_chains),
      energy(n_kept, n_chains);
  for (std::size_t j = 0; j < facts.size(); ++j) {
    const int chain = static_cast<int>(j % n_chains);
    for (int i = 0; i < n_kept; ++i) {
      accept_stat(i, chain) += facts[j].accept_stat[i] / n_units;
      step_size(i, chain) += facts[j].step_size[i] / n_units;
      n_leapfrog(i, chain) += facts[j].n_leapfrog[i];
      energy(i, chain) += facts[j].energy[i];
      divergent(i, chain) += facts[j].divergent[i];
      tree_depth(i, chain) = std::max<double>(tree_depth(i, chain), facts[j].tree_depth[i]);
      const R_xlen_t at = i + static_cast<R_xlen_t>(chain) * n_kept;
      log_joint[at] += facts[j].log_likelihood[i] + facts[j].log_prior[i];
      log_prior[at] += facts[j].log_prior[i];
    }
  }
  Rcpp::IntegerMatrix unit_divergent(n_units, n_chains), unit_treedepth(n_units, n_chains);
  Rcpp::CharacterVector unit_algorithm(n_units);
  Rcpp::NumericMatrix unit_ebfmi(n_units, n_chains), seconds(n_chains, 2);
  for (int chain = 0; chain < n_chains; ++chain) {
    for (int unit = 0; unit < n_units; ++unit) {
      const UnitReport& one = reports[static_cast<std::size_t>(chain) * n_units + unit];
      unit_divergent(unit, chain) = one.divergent;
      unit_treedepth(unit, chain) = one.max_treedepth_hits;
      unit_ebfmi(unit, chain) = std::isnan(one.ebfmi) ? NA_REAL : one.ebfmi;
      if (chain == 0) unit_algorithm[unit] = algorithm_name(one.algorithm);
      seconds(chain, 0) += one.warmup_seconds;
      seconds(chain, 1) += one.sampling_seconds;
    }
  }
  using Rcpp::_;
  return Rcpp::List::create(
      _["draws"] = Rcpp::List::create(
          _["mean"] = storage.mean.get(), _["chol"] = storage.factor.get(),
          _["mean0"] = storage.mean0.get(), _["scale0"] = storage.scale0.get(),
          _["chol_cor0"] = storage.correlation_factor0.get(), _["h_mean"] = storage.h_mean.get(),
          _["h_sd"] = storage.h_scale.get(), _["h_cor"] = storage.h_correlation.get(),
          _["lp"] = log_joint, _["lprior"] = log_prior),
      _["sampler"] = Rcpp::List::create(_["accept_stat"] = accept_stat, _["stepsize"] = step_size,
                                        _["treedepth"] = tree_depth, _["n_leapfrog"] = n_leapfrog,
                                        _["divergent"] = divergent, _["energy"] = energy),
      _["units"] = Rcpp::List::create(_["n"] = n_units, _["algorithm"] = unit_algorithm,
                                      _["divergent"] = unit_divergent,
                                      _["max_treedepth"] = unit_treedepth, _["ebfmi"] = unit_ebfmi),
      _["seconds"] = seconds);
}
