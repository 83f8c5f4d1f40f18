#include "r_storage.h"

#include <array>
#include <utility>

#include "hmvn/math/packed.hpp"
#include "r_check.h"

using Rcpp::Named;

namespace hmvn {

DrawArray::DrawArray(int n_iterations, int n_chains, R_xlen_t n_values)
    : n_iterations_(n_iterations),
      stride_(static_cast<R_xlen_t>(n_iterations) * n_chains),
      array_(Rcpp::no_init(stride_ * n_values)),
      data_(array_.begin()) {
  array_.attr("dim") =
      Rcpp::NumericVector::create(n_iterations, n_chains, static_cast<double>(n_values));
}

void DrawArray::write_lower(int iteration, int chain, const Eigen::MatrixXd& lower) {
  if (data_ == nullptr) return;
  Eigen::VectorXd packed(packed_size(static_cast<int>(lower.rows())));
  pack_lower(lower, packed);
  write(iteration, chain, 0, packed);
}

void DrawArray::write_columns(int iteration, int chain, R_xlen_t first,
                              const Eigen::MatrixXd& columns, int n) {
  if (data_ == nullptr) return;
  double* at = place(iteration, chain, first);
  for (Eigen::Index i = 0; i < columns.cols(); ++i) {
    std::copy_n(columns.data() + i * columns.rows(), n, at + i * stride_);
  }
}

Storage allocate(const Model& model, const StorageSize& size) {
  const R_xlen_t n_features = model.n_features(), n_packed = packed_size(model.n_features());
  const auto array = [&](R_xlen_t n) { return DrawArray(size.n_kept, size.n_chains, n); };
  Storage storage;
  if (size.keep_mean) {
    storage.mean = array(n_features * (model.one_means() ? 1 : size.n_groups));
  }
  if (size.keep_factor && !model.known_covariances) {
    storage.factor = array(n_packed * (model.one_covariance() ? 1 : size.n_groups));
  }
  const R_xlen_t n_slopes = n_features * model.n_covariates;
  if (n_slopes > 0 && size.keep_mean) {
    storage.slope = array(n_slopes * (model.one_slopes() ? 1 : size.n_groups));
  }
  if (model.pools_means()) storage.mean0 = array(n_features);
  if (model.pools_slopes()) storage.slope0 = array(n_slopes);
  // In a frame (F1) sds and correlations of the population come of each other.
  const bool both =
      model.framed() && n_features > 1 && (model.scale.pooled() || model.correlation.pooled());
  if (model.scale.pooled() || both) storage.scale0 = array(n_features);
  if (model.partial_means()) storage.h_mean = array(n_features);
  if (model.partial_slopes()) storage.h_slope = array(n_slopes);
  if (model.correlates_means()) {
    storage.between_factor = array(packed_size(static_cast<int>(model.between_features.size())));
  }
  if (model.scale.partial()) storage.h_scale = array(n_features);
  if (n_features > 1 && (model.correlation.pooled() || both)) {
    storage.correlation_factor0 = array(n_packed);
  }
  if (n_features > 1 && model.correlation.partial()) storage.h_correlation = array(1);
  return storage;
}

Rcpp::List pack_draws(const Storage& storage) {
  return Rcpp::List::create(
      Named("mean") = storage.mean.get(), Named("chol") = storage.factor.get(),
      Named("slope") = storage.slope.get(), Named("mean0") = storage.mean0.get(),
      Named("slope0") = storage.slope0.get(), Named("scale0") = storage.scale0.get(),
      Named("chol_cor0") = storage.correlation_factor0.get(),
      Named("chol_between") = storage.between_factor.get(), Named("h_mean") = storage.h_mean.get(),
      Named("h_slope") = storage.h_slope.get(), Named("h_sd") = storage.h_scale.get(),
      Named("h_cor") = storage.h_correlation.get());
}

IterationFacts::IterationFacts(int n)
    : accept_stat(n),
      step_size(n),
      tree_depth(n),
      n_leapfrog(n),
      divergent(n),
      energy(n),
      log_likelihood(n),
      log_prior(n) {}

namespace {

using Fact = std::vector<double> IterationFacts::*;
constexpr std::array<std::pair<const char*, Fact>, 8> fact_names = {{
    {"accept_stat", &IterationFacts::accept_stat},
    {"stepsize", &IterationFacts::step_size},
    {"treedepth", &IterationFacts::tree_depth},
    {"n_leapfrog", &IterationFacts::n_leapfrog},
    {"divergent", &IterationFacts::divergent},
    {"energy", &IterationFacts::energy},
    {"log_likelihood", &IterationFacts::log_likelihood},
    {"lprior", &IterationFacts::log_prior},
}};

}  // namespace

Rcpp::List FactsTable::pack() {
  Rcpp::List out;
  const int n_slices = static_cast<int>(facts_.size()) / n_chains_;
  for (const auto& [name, fact] : fact_names) {
    Rcpp::NumericVector array(Rcpp::Dimension(n_kept_, n_chains_, n_slices));
    double* to = array.begin();
    for (IterationFacts& facts : facts_) to = std::copy_n((facts.*fact).begin(), n_kept_, to);
    out[name] = array;
  }
  return out;
}

void FactsTable::unpack(const Rcpp::List& arrays) {
  for (const auto& [name, fact] : fact_names) {
    const Rcpp::NumericVector array = arrays[name];
    check_length(array.size(), static_cast<R_xlen_t>(facts_.size()) * n_kept_, name);
    const double* from = array.begin();
    for (IterationFacts& facts : facts_) {
      std::copy_n(from, n_kept_, (facts.*fact).begin());
      from += n_kept_;
    }
  }
}

void UnitSink::record(int kept, const Draw& draw, const TransitionStatistics& facts) {
  kept -= place_.first_kept;
  write_groups(storage_.mean, kept, draw.mean, model_.one_means());
  write_groups(storage_.slope, kept, draw.slope, model_.one_slopes());
  write_groups(storage_.factor, kept, draw.factor, model_.one_covariance());
  record_population(kept, draw);
  facts_.add(kept, facts);
  facts_.log_likelihood[kept] += draw.log_likelihood;
  facts_.log_prior[kept] += draw.log_prior;
}

void IterationFacts::add(int kept, const TransitionStatistics& facts) {
  accept_stat[kept] += facts.accept_stat;
  step_size[kept] += facts.step_size;
  n_leapfrog[kept] += facts.n_leapfrog;
  energy[kept] += facts.energy;
  tree_depth[kept] = std::max<double>(tree_depth[kept], facts.tree_depth);
  divergent[kept] += facts.divergent;
}

// A column a group; one for all where they have it in `common`.
void UnitSink::write_groups(DrawArray& to, int kept, const Eigen::MatrixXd& values, bool common) {
  if (!to.kept()) return;
  const Eigen::Index n = common ? 1 : values.cols();
  for (Eigen::Index g = 0; g < n; ++g) {
    to.write(kept, place_.chain, (place_.first_group + g) * values.rows(), values.col(g));
  }
}

// What the model does not have is not kept: nobody else writes it.
void UnitSink::record_population(int kept, const Draw& draw) {
  storage_.mean0.write(kept, place_.chain, 0, draw.mean0);
  storage_.slope0.write(kept, place_.chain, 0, draw.slope0);
  storage_.h_slope.write(kept, place_.chain, 0, draw.h_slope);
  storage_.scale0.write(kept, place_.chain, 0, draw.scale0);
  storage_.correlation_factor0.write(kept, place_.chain, 0, draw.correlation_factor0);
  storage_.between_factor.write_lower(kept, place_.chain, draw.between_factor);
  storage_.h_mean.write(kept, place_.chain, 0, draw.h_mean);
  storage_.h_scale.write(kept, place_.chain, 0, draw.h_scale);
  storage_.h_correlation.write_value(kept, place_.chain, draw.h_correlation);
}

void UnitSink::record(int kept, const DrawBatch& batch,
                      const std::vector<TransitionStatistics>& facts) {
  kept -= place_.first_kept;
  const R_xlen_t n_features = model_.n_features();
  storage_.mean.write_columns(kept, place_.chain, place_.first_group * n_features, batch.mean,
                              batch.size);
  storage_.factor.write_columns(kept, place_.chain,
                                place_.first_group * packed_size(model_.n_features()), batch.factor,
                                batch.size);
  if (!model_.groups_apart()) record_population(kept, batch);
  for (int i = 0; i < batch.size; ++i) {
    facts_.add(kept + i, facts[i]);
    facts_.log_likelihood[kept + i] += batch.log_likelihood[i];
    facts_.log_prior[kept + i] += batch.log_prior[i];
  }
}

// Where scales or correlations are completely pooled, the population has the groups' own.
void UnitSink::record_population(int kept, const DrawBatch& batch) {
  storage_.scale0.write_columns(kept, place_.chain, 0, batch.sigma, batch.size);
  if (!storage_.correlation_factor0.kept()) return;
  Eigen::MatrixXd correlation_factor = batch.factor;
  for (int i = 0, at = 0; i < model_.n_features(); ++i) {
    for (int j = 0; j <= i; ++j, ++at) {
      correlation_factor.col(at).array() /= batch.sigma.col(i).array();
    }
  }
  storage_.correlation_factor0.write_columns(kept, place_.chain, 0, correlation_factor, batch.size);
}

}  // namespace hmvn

// A box of an array of draws: by dimension (rows of `box`) the first and last index, from 1.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector cut_draws_(const Rcpp::NumericVector& array, const Rcpp::NumericMatrix& box) {
  const DrawsExtent extent = extent_of_draws(array);
  const std::array<R_xlen_t, 3> most{extent.iterations, extent.chains, extent.values};
  std::array<R_xlen_t, 3> first{}, size{};
  if (box.nrow() != 3 || box.ncol() != 2) Rcpp::stop("no box of such an array");
  for (int i = 0; i < 3; ++i) {
    if (!(1 <= box(i, 0) && box(i, 0) <= box(i, 1) && box(i, 1) <= static_cast<double>(most[i]))) {
      Rcpp::stop("a box beyond its array");
    }
    first[i] = static_cast<R_xlen_t>(box(i, 0)) - 1;
    size[i] = static_cast<R_xlen_t>(box(i, 1)) - first[i];
  }
  Rcpp::NumericVector cut(Rcpp::no_init(size[0] * size[1] * size[2]));
  double* to = cut.begin();
  for (R_xlen_t k = first[2]; k < first[2] + size[2]; ++k) {
    for (R_xlen_t j = first[1]; j < first[1] + size[1]; ++j) {
      to = std::copy_n(array.begin() + (k * most[1] + j) * most[0] + first[0], size[0], to);
    }
  }
  cut.attr("dim") = Rcpp::NumericVector::create(size[0], size[1], size[2]);
  return cut;
}
