// Where draws go: R's arrays, written by plain pointers from worker threads.
#pragma once

#include <Rcpp.h>

#include <algorithm>
#include <vector>

#include "hmvn/model/model.hpp"
#include "hmvn/sampling/sampling.hpp"

namespace hmvn {

// An R array [iteration, chain, index]. Not set to zero first: every value is written once, and
// touching gigabytes twice is felt. Without values where the user keeps none.
class DrawArray {
 public:
  DrawArray() = default;
  DrawArray(int n_iterations, int n_chains, R_xlen_t n_values);

  template <class Values>
  void write(int iteration, int chain, R_xlen_t first, const Values& values) {
    if (data_ == nullptr) return;
    double* at = place(iteration, chain, first);
    for (Eigen::Index i = 0; i < values.size(); ++i) at[i * stride_] = values(i);
  }
  void write_value(int iteration, int chain, double value) {
    if (data_ != nullptr) *place(iteration, chain, 0) = value;
  }
  void write_lower(int iteration, int chain, const Eigen::MatrixXd& lower);
  // The first `n` rows of `columns`, a matrix with one row a draw and one column an index from
  // `first` on.
  void write_columns(int iteration, int chain, R_xlen_t first, const Eigen::MatrixXd& columns,
                     int n);
  bool kept() const { return data_ != nullptr; }
  SEXP get() const { return data_ == nullptr ? R_NilValue : static_cast<SEXP>(array_); }

 private:
  double* place(int iteration, int chain, R_xlen_t first) {
    return data_ + iteration + static_cast<R_xlen_t>(chain) * n_iterations_ + first * stride_;
  }

  R_xlen_t n_iterations_ = 0, stride_ = 0;
  Rcpp::NumericVector array_{0};
  double* data_ = nullptr;
};

// What the whole fit keeps; units write disjoint parts of means and factors.
struct Storage {
  DrawArray mean, factor, slope, mean0, slope0, scale0, correlation_factor0, between_factor, h_mean,
      h_slope, h_scale, h_correlation;
};

struct StorageSize {
  int n_kept, n_chains;
  R_xlen_t n_groups;
  bool keep_mean, keep_factor;
};

Storage allocate(const Model& model, const StorageSize& size);

// As the part `draws` of a fit, without lp and lprior.
Rcpp::List pack_draws(const Storage& storage);

// Facts of every kept iteration, over the units of one slice and chain, to be summed over slices in
// a fixed order.
struct IterationFacts {
  std::vector<double> accept_stat, step_size, tree_depth, n_leapfrog, divergent, energy,
      log_likelihood, log_prior;

  explicit IterationFacts(int n);
  void add(int kept, const TransitionStatistics& facts);
};

// By slice and chain, in R's form a list of arrays [iteration, chain, slice].
class FactsTable {
 public:
  FactsTable(int n_kept, int n_chains, int n_slices)
      : n_kept_(n_kept),
        n_chains_(n_chains),
        facts_(static_cast<std::size_t>(n_chains) * n_slices, IterationFacts(n_kept)) {}

  IterationFacts& at(int slice, int chain) {
    return facts_[static_cast<std::size_t>(slice) * n_chains_ + chain];
  }
  Rcpp::List pack();
  void unpack(const Rcpp::List& arrays);

 private:
  int n_kept_, n_chains_;
  std::vector<IterationFacts> facts_;
};

// Where the draws of a unit's chain go in a storage that begins with another chain, group or kept
// draw.
struct SinkPlace {
  int chain;
  R_xlen_t first_group;
  int first_kept;
};

// Takes one chain's draws of one unit.
class UnitSink : public DrawSink {
 public:
  UnitSink(const Model& model, Storage& storage, IterationFacts& facts, const SinkPlace& place)
      : model_(model), storage_(storage), facts_(facts), place_(place) {}

  void record(int kept, const Draw& draw, const TransitionStatistics& facts) override;
  void record(int kept, const DrawBatch& batch,
              const std::vector<TransitionStatistics>& facts) override;

 private:
  void write_groups(DrawArray& to, int kept, const Eigen::MatrixXd& values, bool common);
  void record_population(int kept, const Draw& draw);
  void record_population(int kept, const DrawBatch& batch);

  const Model& model_;
  Storage& storage_;
  IterationFacts& facts_;
  SinkPlace place_;
};

}  // namespace hmvn
