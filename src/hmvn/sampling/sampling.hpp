// The contracts of sampling: what is asked for, who samples, where draws go, what is reported.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "hmvn/direct/draw_batch.hpp"
#include "hmvn/mcmc/chain.hpp"
#include "hmvn/control/crew.hpp"
#include "hmvn/control/run_control.hpp"
#include "hmvn/model/draw.hpp"
#include "hmvn/model/group_statistics.hpp"
#include "hmvn/model/model.hpp"
#include "hmvn/sampling/archive.hpp"

namespace hmvn {

// Which algorithm is asked for: automatic takes direct sampling where it applies and is accepted
// often enough.
enum class Algorithm { automatic, nuts, direct };

// Which algorithm drew a unit: exact independent draws, independence steps, Hamiltonian Monte Carlo
// by quarter turns, or NUTS.
enum class UnitAlgorithm { exact, direct, hmc, nuts };

struct SamplingPlan {
  Algorithm algorithm = Algorithm::automatic;
  ChainSettings chain;
  double target_accept_scarce = 0.9;  // of groups with few rows
  int iter_sampling = 1000;
  int thin = 1;
  std::uint64_t seed = 0;
  double max_bytes = std::numeric_limits<double>::infinity();  // of working memory

  int n_kept() const { return iter_sampling / thin; }
  int n_iterations() const { return chain.iter_warmup + iter_sampling; }
};

// The unit of sampling: the groups that share a quantity. Its draws depend on data, model, plan and
// its number alone.
struct Unit {
  const Model* model;
  std::vector<GroupStatistics> groups;
  std::uint64_t number;
};

// Where a chain's draws go. `kept` counts from 0.
class DrawSink {
 public:
  virtual ~DrawSink() = default;
  virtual void record(int kept, const Draw& draw, const TransitionStatistics& facts) = 0;
  // Draws `kept` to `kept + batch.size - 1` of a unit with one covariance matrix and means of its
  // own for every group; `facts` of each.
  virtual void record(int kept, const DrawBatch& batch,
                      const std::vector<TransitionStatistics>& facts) = 0;
};

// What must be said of a unit and chain as a whole.
struct UnitReport {
  UnitAlgorithm algorithm = UnitAlgorithm::nuts;
  int iter_warmup = 0;  // that were needed of those that the plan allows
  int divergent = 0, max_treedepth_hits = 0;
  double ebfmi = std::numeric_limits<double>::quiet_NaN();  // where one part is a chain
  double warmup_seconds = 0.0, sampling_seconds = 0.0;
};

// One chain of a unit on its way. It owns its state, which can be saved between two calls of
// advance() and loaded into a run that was started alike: the draws that follow are the same. Where
// warm-up ends before the plan's iterations of it are done, those that are left are skipped.
class UnitRun {
 public:
  virtual ~UnitRun() = default;
  // Goes on by so many iterations, warm-up first, or to the end, or until asked to pause. Throws
  // StopRequested when asked to stop.
  virtual void advance(int iterations, DrawSink& sink) = 0;
  virtual int iteration() const = 0;  // how many are done
  virtual bool finished() const = 0;
  virtual UnitReport report() const = 0;
  virtual void save(StateWriter& archive) = 0;
  virtual void load(StateReader& archive) = 0;
};

// A unit with all that its chains have in common, made once. Chains may be started, and run, at the
// same time, each with a crew of its own; they keep references to this, to `control`, and to
// `crew`.
class UnitSampler {
 public:
  virtual ~UnitSampler() = default;
  virtual std::unique_ptr<UnitRun> start(std::uint64_t chain, RunControl& control,
                                         Crew& crew) const = 0;
};

// Chooses the algorithm. Keeps references to the unit's model and to the plan; throws StopRequested
// when asked to stop.
std::unique_ptr<UnitSampler> make_unit_sampler(Unit unit, const SamplingPlan& plan,
                                               const std::atomic<bool>& stop);

}  // namespace hmvn
