#include "r_model.h"

#include <stdexcept>
#include <utility>

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

Block unpack_block(const Rcpp::CharacterVector& pooling, const Rcpp::NumericMatrix& heterogeneity,
                   int row) {
  Block block;
  block.pooling = unpack_pooling(Rcpp::as<std::string>(pooling[row]));
  block.heterogeneity.fixed = !ISNAN(heterogeneity(row, 0));
  if (block.heterogeneity.fixed) {
    block.heterogeneity.value = heterogeneity(row, 0);
  } else {
    block.heterogeneity.shape1 = heterogeneity(row, 1);
    block.heterogeneity.shape2 = heterogeneity(row, 2);
  }
  return block;
}

Eigen::VectorXd copy_vector(const Rcpp::NumericVector& x) {
  return Eigen::Map<const Eigen::VectorXd>(x.begin(), x.size());
}

}  // namespace

ScalePrior unpack_scale_prior(const std::string& family, double p1, double p2, double p3) {
  return ScalePrior(unpack_family(family), p1, p2, p3);
}

Model unpack_model(const Rcpp::List& list) {
  ModelParts parts;
  const Rcpp::CharacterVector pooling = list["pooling"];
  const Rcpp::NumericMatrix heterogeneity = list["heterogeneity"];
  check_length(pooling.size(), 3, "pooling");
  check_length(heterogeneity.size(), 9, "heterogeneities");
  parts.mean = unpack_block(pooling, heterogeneity, 0);
  parts.scale = unpack_block(pooling, heterogeneity, 1);
  parts.correlation = unpack_block(pooling, heterogeneity, 2);
  parts.mean_location = copy_vector(list["location"]);
  parts.mean_scale = copy_vector(list["scale"]);
  const Rcpp::CharacterVector family = list["family"];
  const Rcpp::NumericMatrix parameters = list["parameters"];
  const Eigen::Index n_features = parts.mean_location.size();
  check_length(parts.mean_scale.size(), n_features, "scales of means");
  check_length(family.size(), n_features, "families");
  check_length(parameters.size(), 3 * n_features, "parameters");
  for (int k = 0; k < parts.mean_location.size(); ++k) {
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
  const Eigen::VectorXd& location = model.mean_location;
  const Eigen::Index n_features = location.size();
  std::vector<std::vector<PatternStatistics>> by_group(n_groups);
  if (!prior_only) {
    const Rcpp::IntegerVector group = patterns["group"];
    const Rcpp::NumericVector n = patterns["n"];
    const Rcpp::LogicalVector observed = patterns["observed"];
    const Rcpp::NumericVector mean = patterns["mean"];
    const Rcpp::NumericVector scatter = patterns["scatter"];
    check_positions(group, n_groups, "group");
    check_length(n.size(), group.size(), "counts");
    check_length(observed.size(), n_features * group.size(), "observed features");
    check_length(mean.size(), n_features * group.size(), "means");
    check_length(scatter.size(), n_features * n_features * group.size(), "scatter matrices");
    for (R_xlen_t p = 0; p < group.size(); ++p) {
      const Eigen::VectorXd seen =
          Eigen::Map<const Eigen::VectorXi>(observed.begin() + p * n_features, n_features)
              .cast<double>();
      const Eigen::Map<const Eigen::VectorXd> center(mean.begin() + p * n_features, n_features);
      const Eigen::Map<const Eigen::MatrixXd> squares(scatter.begin() + p * n_features * n_features,
                                                      n_features, n_features);
      by_group[group[p] - 1].push_back(make_pattern(n[p], seen, center - location, squares));
    }
  }
  std::vector<GroupStatistics> groups;
  groups.reserve(n_groups);
  for (auto& of_group : by_group) {
    groups.push_back(make_group(std::move(of_group), n_features, model.frame_inverse));
  }
  return groups;
}

}  // namespace hmvn
