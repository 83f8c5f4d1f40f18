#include "r_model.h"

#include <stdexcept>
#include <utility>

#include "parallel.h"
#include "r_check.h"

namespace hmvn {

namespace {

Pooling unpack_pooling(const std::string& name) {
  if (name == "none") return Pooling::none;
  if (name == "partial") return Pooling::partial;
  if (name == "complete") return Pooling::complete;
  throw std::invalid_argument("unknown pooling: " + name);
}

ScaleFamily unpack_family(const std::string& name) {
  if (name == "exponential") return ScaleFamily::exponential;
  if (name == "normal") return ScaleFamily::normal;
  if (name == "student_t") return ScaleFamily::student_t;
  if (name == "gamma") return ScaleFamily::gamma;
  if (name == "lognormal") return ScaleFamily::lognormal;
  throw std::invalid_argument("unknown family: " + name);
}

HeterogeneityPrior unpack_heterogeneity(const Rcpp::NumericMatrix& heterogeneity, int row) {
  if (!ISNAN(heterogeneity(row, 0))) return HeterogeneityPrior::fixed_at(heterogeneity(row, 0));
  return HeterogeneityPrior::beta(heterogeneity(row, 1), heterogeneity(row, 2));
}

// The arrays of an hmvn_statistics object: pattern last.
class PatternArrays {
 public:
  PatternArrays(const Rcpp::List& patterns, const Model& model)
      : group(patterns["group"]),
        n_(patterns["n"]),
        mean_(patterns["mean"]),
        scatter_(patterns["scatter"]),
        observed_(patterns["observed"]),
        K_(model.n_features()),
        C_(model.n_covariates),
        location_(model.coefficient_location.head(K_)),
        slopes_(Eigen::Map<const Eigen::MatrixXd>(model.coefficient_location.data() + K_, K_, C_)) {
    const R_xlen_t n_patterns = group.size();
    check_length(n_.size(), n_patterns, "counts");
    check_length(observed_.size(), K_ * n_patterns, "observed features");
    check_length(mean_.size(), K_ * n_patterns, "means");
    check_length(scatter_.size(), K_ * K_ * n_patterns, "scatter matrices");
    if (C_ == 0) return;
    covariate_mean_ = patterns["covariate_mean"];
    covariate_scatter_ = patterns["covariate_scatter"];
    cross_ = patterns["cross"];
    check_length(covariate_mean_.size(), C_ * n_patterns, "means of covariates");
    check_length(covariate_scatter_.size(), C_ * C_ * n_patterns, "scatter of covariates");
    check_length(cross_.size(), C_ * K_ * n_patterns, "scatter of covariates with features");
  }

  const Rcpp::IntegerVector group;  // from 1

  PatternStatistics pattern(R_xlen_t p) const {
    const Eigen::VectorXd observed =
        Eigen::Map<const Eigen::VectorXi>(observed_.begin() + p * K_, K_).cast<double>();
    PatternStatistics out = make_pattern(n_[p], observed, matrix(mean_, p, K_, 1) - location_,
                                         matrix(scatter_, p, K_, K_));
    if (C_ > 0) {
      add_design({matrix(covariate_mean_, p, C_, 1), matrix(covariate_scatter_, p, C_, C_),
                  matrix(cross_, p, C_, K_)},
                 slopes_, out);
    }
    return out;
  }

 private:
  static Eigen::Map<const Eigen::MatrixXd> matrix(const Rcpp::NumericVector& values, R_xlen_t p,
                                                  Eigen::Index rows, Eigen::Index columns) {
    return {values.begin() + p * rows * columns, rows, columns};
  }

  const Rcpp::NumericVector n_, mean_, scatter_;
  const Rcpp::LogicalVector observed_;
  Rcpp::NumericVector covariate_mean_, covariate_scatter_, cross_;
  const Eigen::Index K_, C_;
  const Eigen::VectorXd location_;
  const Eigen::MatrixXd slopes_;
};

Eigen::VectorXd copy_vector(const Rcpp::NumericVector& x) {
  return Eigen::Map<const Eigen::VectorXd>(x.begin(), x.size());
}

}  // namespace

ScalePrior unpack_scale_prior(const std::string& family, double p1, double p2, double p3) {
  return ScalePrior(unpack_family(family), p1, p2, p3);
}

Model unpack_model(const Rcpp::List& list) {
  ModelParts parts;
  const Rcpp::CharacterVector coefficients = list["coefficient_pooling"], pooling = list["pooling"];
  const Rcpp::NumericMatrix heterogeneity = list["heterogeneity"];
  check_length(pooling.size(), 2, "pooling");
  check_length(heterogeneity.size(), 12, "heterogeneities");
  const Rcpp::CharacterVector family = list["family"];
  const R_xlen_t n_features = family.size();
  if (n_features < 1) throw std::invalid_argument("there are no features");
  parts.n_covariates = static_cast<int>(coefficients.size() / n_features) - 1;
  for (R_xlen_t k = 0; k < coefficients.size(); ++k) {
    parts.coefficients.push_back({unpack_pooling(Rcpp::as<std::string>(coefficients[k])),
                                  unpack_heterogeneity(heterogeneity, k < n_features ? 0 : 3)});
  }
  parts.scale = {unpack_pooling(Rcpp::as<std::string>(pooling[0])),
                 unpack_heterogeneity(heterogeneity, 1)};
  parts.correlation = {unpack_pooling(Rcpp::as<std::string>(pooling[1])),
                       unpack_heterogeneity(heterogeneity, 2)};
  parts.known_covariances = Rcpp::as<bool>(list["known"]);
  parts.between.independent = Rf_isNull(list["between_eta"]);
  if (!parts.between.independent) parts.between.eta = Rcpp::as<double>(list["between_eta"]);
  parts.coefficient_location = copy_vector(list["location"]);
  parts.coefficient_scale = copy_vector(list["scale"]);
  const Rcpp::NumericMatrix parameters = list["parameters"];
  const R_xlen_t n_coefficients = n_features * (1 + parts.n_covariates);
  check_length(coefficients.size(), n_coefficients, "poolings of coefficients");
  check_length(parts.coefficient_location.size(), n_coefficients, "locations of coefficients");
  check_length(parts.coefficient_scale.size(), n_coefficients, "scales of coefficients");
  check_length(parameters.size(), 3 * n_features, "parameters");
  for (int k = 0; k < n_features; ++k) {
    parts.scale_priors.push_back(unpack_scale_prior(
        Rcpp::as<std::string>(family[k]), parameters(k, 0), parameters(k, 1), parameters(k, 2)));
  }
  parts.eta = Rcpp::as<double>(list["eta"]);
  if (list.containsElementNamed("frame") && !Rf_isNull(list["frame"])) {
    const Rcpp::NumericMatrix frame = list["frame"];
    parts.frame = Eigen::Map<const Eigen::MatrixXd>(frame.begin(), frame.nrow(), frame.ncol());
  }
  return Model(std::move(parts));
}

std::vector<GroupStatistics> unpack_groups(const Rcpp::List& patterns, int n_groups,
                                           const Model& model, bool prior_only) {
  std::vector<std::vector<PatternStatistics>> by_group(n_groups);
  if (!prior_only) {
    const PatternArrays arrays(patterns, model);
    check_positions(arrays.group, n_groups, "group");
    for (R_xlen_t p = 0; p < arrays.group.size(); ++p) {
      if (p % 1024 == 0) check_user();
      by_group[arrays.group[p] - 1].push_back(arrays.pattern(p));
    }
  }
  std::vector<GroupStatistics> groups;
  groups.reserve(n_groups);
  for (auto& of_group : by_group) {
    if (groups.size() % 1024 == 0) check_user();
    groups.push_back(make_group(std::move(of_group), model.n_features(), model.frame_inverse));
  }
  return groups;
}

Model plain_model(int n_features, int n_covariates, bool common) {
  ModelParts parts;
  parts.n_covariates = n_covariates;
  const int n_coefficients = n_features * (1 + n_covariates);
  parts.coefficients.assign(static_cast<std::size_t>(n_coefficients), Block{});
  for (int i = n_features; i < n_coefficients && common; ++i) {
    parts.coefficients[i].pooling = Pooling::complete;
  }
  parts.coefficient_location.setZero(n_coefficients);
  parts.coefficient_scale.setOnes(n_coefficients);
  return Model(std::move(parts));
}

}  // namespace hmvn
