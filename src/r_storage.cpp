#include "r_storage.h"

namespace hmvn {

DrawArray::DrawArray(int n_iterations, int n_chains, R_xlen_t n_values)
    : n_iterations_(n_iterations),
      stride_(static_cast<R_xlen_t>(n_iterations) * n_chains),
      array_(Rcpp::no_init(stride_ * n_values)),
      data_(array_.begin()) {
  array_.attr("dim") =
      Rcpp::NumericVector::create(n_iterations, n_chains, static_cast<double>(n_values));
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
    storage.mean = array(n_features * (model.mean.complete() ? 1 : size.n_groups));
  }
  if (size.keep_factor) {
    storage.factor = array(n_packed * (model.one_covariance() ? 1 : size.n_groups));
  }
  if (model.mean.pooled()) storage.mean0 = array(n_features);
  // In a frame (F1) sds and correlations of the population come of each other.
  const bool both =
      model.framed() && n_features > 1 && (model.scale.pooled() || model.correlation.pooled());
  if (model.scale.pooled() || both) storage.scale0 = array(n_features);
  if (model.mean.partial()) storage.h_mean = array(n_features);
  if (model.scale.partial()) storage.h_scale = array(n_features);
  if (n_features > 1 && (model.correlation.pooled() || both)) {
    storage.correlation_factor0 = array(n_packed);
  }
  if (n_features > 1 && model.correlation.partial()) storage.h_correlation = array(1);
  return storage;
}

void IterationFacts::resize(int n) {
  for (auto* v : {&accept_stat, &step_size, &n_leapfrog, &energy, &log_likelihood, &log_prior}) {
    v->assign(n, 0.0);
  }
  tree_depth.assign(n, 0);
  divergent.assign(n, 0);
}

void UnitSink::record(int kept, const Draw& draw, const TransitionStatistics& facts) {
  const Eigen::Index n_means = model_.mean.complete() ? 1 : draw.mean.cols();
  for (Eigen::Index g = 0; storage_.mean.kept() && g < n_means; ++g) {
    storage_.mean.write(kept, chain_, (first_group_ + g) * draw.mean.rows(), draw.mean.col(g));
  }
  const Eigen::Index n_factors = model_.one_covariance() ? 1 : draw.factor.cols();
  for (Eigen::Index g = 0; storage_.factor.kept() && g < n_factors; ++g) {
    storage_.factor.write(kept, chain_, (first_group_ + g) * draw.factor.rows(),
                          draw.factor.col(g));
  }
  record_population(kept, draw);
  facts_.accept_stat[kept] += facts.accept_stat;
  facts_.step_size[kept] += facts.step_size;
  facts_.n_leapfrog[kept] += facts.n_leapfrog;
  facts_.energy[kept] += facts.energy;
  facts_.log_likelihood[kept] += draw.log_likelihood;
  facts_.log_prior[kept] += draw.log_prior;
  facts_.tree_depth[kept] = std::max(facts_.tree_depth[kept], facts.tree_depth);
  facts_.divergent[kept] += facts.divergent;
}

// What the model does not have is not kept: nobody else writes it.
void UnitSink::record_population(int kept, const Draw& draw) {
  storage_.mean0.write(kept, chain_, 0, draw.mean0);
  storage_.scale0.write(kept, chain_, 0, draw.scale0);
  storage_.correlation_factor0.write(kept, chain_, 0, draw.correlation_factor0);
  storage_.h_mean.write(kept, chain_, 0, draw.h_mean);
  storage_.h_scale.write(kept, chain_, 0, draw.h_scale);
  storage_.h_correlation.write_value(kept, chain_, draw.h_correlation);
}

void UnitSink::record(int kept, const DrawBatch& batch) {
  const R_xlen_t n_features = model_.n_features();
  storage_.mean.write_columns(kept, chain_, first_group_ * n_features, batch.mean, batch.size);
  storage_.factor.write_columns(kept, chain_, first_group_ * packed_size(model_.n_features()),
                                batch.factor, batch.size);
  if (!model_.groups_apart()) record_population(kept, batch);
  for (int i = 0; i < batch.size; ++i) {
    facts_.accept_stat[kept + i] += batch.accept_stat[i];
    facts_.energy[kept + i] -= batch.log_likelihood[i] + batch.log_prior[i];
    facts_.log_likelihood[kept + i] += batch.log_likelihood[i];
    facts_.log_prior[kept + i] += batch.log_prior[i];
  }
}

// Where scales or correlations are completely pooled, the population has the groups' own.
void UnitSink::record_population(int kept, const DrawBatch& batch) {
  storage_.scale0.write_columns(kept, chain_, 0, batch.sigma, batch.size);
  if (!storage_.correlation_factor0.kept()) return;
  Eigen::MatrixXd correlation_factor = batch.factor;
  for (int i = 0, at = 0; i < model_.n_features(); ++i) {
    for (int j = 0; j <= i; ++j, ++at) {
      correlation_factor.col(at).array() /= batch.sigma.col(i).array();
    }
  }
  storage_.correlation_factor0.write_columns(kept, chain_, 0, correlation_factor, batch.size);
}

}  // namespace hmvn
