#include "hmvn/coordinates/inverse.hpp"

#include <cmath>

#include "hmvn/coordinates/group.hpp"
#include "hmvn/coordinates/population.hpp"
#include "hmvn/math/packed.hpp"
#include "hmvn/math/special_functions.hpp"
#include "hmvn/model/frame.hpp"

namespace hmvn {

namespace {

// Phi(x) = h solved for x, from the tail that h lies in.
double heterogeneity_score(double h) {
  return h < 0.5 ? normal_quantile_from_log(std::log(h))
                 : -normal_quantile_from_log(std::log1p(-h));
}

// The scores of the partial correlations that make a row of a factor, see fill_factor_row().
template <class Row, class Scores>
void invert_factor_row(const std::vector<ScoreMap>& maps, int i, const Row& row, Scores&& score) {
  Eigen::VectorXd w(i);
  rejoin_stick(i, row, w);
  for (int j = 0; j < i; ++j) score[j] = maps[j].inverse(w[j]);
}

// The scores of all coordinates of Sigma = factor factor', see fill_factor().
Eigen::VectorXd scores_of(const Model& model, const Eigen::MatrixXd& factor) {
  const Eigen::MatrixXd own =
      model.framed() ? lower_factor<Eigen::MatrixXd>(model.frame_inverse * factor) : factor;
  const int n_features = model.n_features();
  Eigen::VectorXd score(n_coordinates(n_features));
  for (int i = 0; i < n_features; ++i) {
    const Eigen::VectorXd row = own.row(i).head(i + 1);
    score[i] = model.maps.scale[i].inverse(std::log(row.norm()));
    invert_factor_row(model.maps.correlation, i, row,
                      score.segment(first_correlation(n_features, i), i));
  }
  return score;
}

// Fills the learned heterogeneities.
void invert_heterogeneities(const Model& model, const Coordinates& coordinates, const Draw& draw,
                            Eigen::VectorXd& x) {
  const Layout& layout = coordinates.layout;
  const auto put = [&](int learned, double h) {
    x[learned] = coordinates.heterogeneities[learned].inverse(heterogeneity_score(h));
  };
  const int n_features = model.n_features();
  for (int k = 0; k < model.n_coefficients(); ++k) {
    const int learned = layout.coefficient_heterogeneity[k];
    if (learned == Layout::not_learned) continue;
    put(learned, k < n_features ? draw.h_mean[k] : draw.h_slope[k - n_features]);
  }
  for (int i = 0; i < layout.n_own(); ++i) {
    const int c = layout.own_coordinates[i], learned = layout.own_heterogeneity[i];
    if (learned == Layout::not_learned) continue;
    put(learned, c < n_features ? draw.h_scale[c] : draw.h_correlation);
  }
}

// Fills the population scores, the heterogeneities being in place.
void invert_population(const Model& model, const Coordinates& coordinates, const Draw& draw,
                       Eigen::VectorXd& x) {
  const Layout& layout = coordinates.layout;
  PopulationPoint<double> point;
  point.resize(model, layout);
  fill_population(model, coordinates, x, point);
  Eigen::MatrixXd factor(model.n_features(), model.n_features());
  unpack_lower(draw.correlation_factor0, factor);
  const Eigen::VectorXd v = scores_of(model, draw.scale0.asDiagonal() * factor);
  for (int p = 0; p < layout.population.size; ++p) {
    const double weight = point.own[layout.partial[p]].weight, precision = point.precision[p];
    const double score = v[layout.own_coordinates[layout.partial[p]]] / weight;
    x[layout.population.begin + p] =
        (score - weight * point.sum1[p] / precision) * std::sqrt(precision);
  }
}

// The inverse of fill_own_scores(), from how far the scores lie from the population's centre.
void invert_group(const GroupConstants<Eigen::Dynamic>& constants,
                  const PopulationPoint<double>& population, const Eigen::VectorXd& deviation,
                  Eigen::Ref<Eigen::VectorXd> x) {
  const Eigen::Index n_scales = constants.first_own_correlation();
  const Eigen::Index n_pairs = deviation.size() - n_scales;
  GroupPoint<double, Eigen::Dynamic> point;
  point.resize(static_cast<int>(constants.b_s.size()));
  Eigen::VectorXd scratch(constants.b_c.size());
  fill_of_population(constants, population, point, scratch);
  if (n_scales > 0) {
    point.e_s = deviation.head(n_scales).cwiseQuotient(point.H);
    const Eigen::VectorXd turned = point.R.triangularView<Eigen::Lower>().transpose() * point.e_s;
    x.head(n_scales) = turned - point.z_s;
  }
  if (n_pairs > 0) {
    point.e_c = constants.Q.transpose() * deviation.tail(n_pairs) / point.h;
    point.MHe.noalias() = constants.M * point.H.cwiseProduct(point.e_s);
    point.w_c = (point.e_c + point.hD2.cwiseProduct(point.MHe)).cwiseQuotient(point.D);
    x.tail(n_pairs) = point.w_c - point.z_c;
  }
}

}  // namespace

Eigen::VectorXd position_of_draw(const Model& model, const Coordinates& coordinates,
                                 const Draw& draw) {
  const Layout& layout = coordinates.layout;
  Eigen::VectorXd x = Eigen::VectorXd::Zero(layout.dimension());
  invert_heterogeneities(model, coordinates, draw, x);
  if (layout.population.size > 0) invert_population(model, coordinates, draw, x);
  for (int i = 0; i < draw.between_factor.rows() && layout.between.size > 0; ++i) {
    invert_factor_row(model.between_maps, i, draw.between_factor.row(i).head(i + 1),
                      x.segment(layout.between.begin + n_correlations(i), i));
  }
  if (layout.n_own() + layout.common.size == 0) return x;

  PopulationPoint<double> population;
  population.resize(model, layout);
  Eigen::MatrixXd factor(model.n_features(), model.n_features());
  for (int g = 0; g < layout.n_groups; ++g) {
    unpack_lower(draw.factor.col(g), factor);
    const Eigen::VectorXd score = scores_of(model, factor);
    if (g == 0) {
      if (layout.common.size > 0) {
        Eigen::VectorXd common(layout.common.size);
        for (int i = 0; i < common.size(); ++i) common[i] = score[layout.common_coordinates[i]];
        x.segment(layout.common.begin, layout.common.size) =
            coordinates.common_spread.triangularView<Eigen::Upper>().solve(
                common - coordinates.common_center);
      }
      fill_population(model, coordinates, x, population);
    }
    if (layout.n_own() == 0) break;
    Eigen::VectorXd deviation(layout.n_own());
    for (int i = 0; i < layout.n_own(); ++i) {
      deviation[i] = score[layout.own_coordinates[i]] - population.center[i];
    }
    const Range own = layout.own(g);
    invert_group(coordinates.groups[g], population, deviation, x.segment(own.begin, own.size));
  }
  return x;
}

double log_constant(const Coordinates& coordinates) {
  const Layout& layout = coordinates.layout;
  const int n_normal = layout.dimension() - layout.heterogeneities.size;
  const double of_common =
      layout.common.size > 0 ? coordinates.common_spread.diagonal().array().log().sum() : 0.0;
  return of_common - 0.5 * log_2pi * n_normal;
}

}  // namespace hmvn
