// Samples a unit, chain by chain, by the algorithm that suits it.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "draw_block.h"
#include "hmvn/mcmc/chain.hpp"
#include "hmvn/model/draw.hpp"
#include "hmvn/model/model.hpp"
#include "hmvn/model/sufficient_statistics.hpp"

namespace hmvn {

// Which algorithm is asked for: automatic takes direct sampling where it applies and is accepted
// often enough.
enum class Algorithm { automatic, nuts, direct };

// Which algorithm drew a unit: exact independent draws, independence steps, Hamiltonian Monte Carlo
// in blocks, or NUTS.
enum class UnitAlgorithm { exact, direct, hmc, nuts };

struct SamplingPlan {
  Algorithm algorithm = Algorithm::automatic;
  ChainSettings chain;
  double target_accept_scarce = 0.99;  // of the blocks of groups with few rows
  int iter_sampling = 1000;
  int thin = 1;
  std::uint64_t seed = 0;

  int n_kept() const { return iter_sampling / thin; }
};

// Where a unit's draws go. `kept` counts from 0.
class DrawSink {
 public:
  virtual ~DrawSink() = default;
  virtual void record(int kept, const Draw& draw, const TransitionStatistics& facts) = 0;
  // Draws `kept` to `kept + block.size - 1` of a unit with one covariance matrix and means of its
  // own for every group.
  virtual void record(int kept, const DrawBlock& block) = 0;
};

// What must be said of a unit and chain as a whole.
struct UnitReport {
  int divergent = 0, max_treedepth_hits = 0;
  double ebfmi = std::numeric_limits<double>::quiet_NaN();  // where one block is a chain
  double warmup_seconds = 0.0, sampling_seconds = 0.0;
  UnitAlgorithm algorithm = UnitAlgorithm::nuts;
};

struct UnitJob {
  const Model* model;
  std::vector<GroupStatistics> groups;
  std::uint64_t unit, chain;
};

class DirectUnit;
struct TransportPlan;

// Samples one unit, chain by chain; what all its chains share is prepared once. Chains may run at
// the same time in samplers of their own: preparing is the same every time.
class UnitSampler {
 public:
  UnitSampler(const Model& model, std::vector<GroupStatistics> groups, std::uint64_t unit,
              const SamplingPlan& plan);
  ~UnitSampler();

  // `iterations_done` is advanced for the progress bar.
  UnitReport sample(std::uint64_t chain, const std::atomic<bool>& stop,
                    std::atomic<long long>& iterations_done, DrawSink& sink);

 private:
  const SamplingPlan& plan_;
  UnitJob job_;
  std::unique_ptr<DirectUnit> direct_;  // one of the two
  std::unique_ptr<TransportPlan> transport_;
};

}  // namespace hmvn
