// From the sampler's coordinates to what all groups share: heterogeneities (C9), population scores
// (C8), completely pooled scores, correlations between groups.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "hmvn/coordinates/coordinates.hpp"
#include "hmvn/coordinates/heterogeneity.hpp"
#include "hmvn/model/between.hpp"

namespace hmvn {

// Heterogeneity and population of one position.
template <class T>
struct PopulationPoint {
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  std::vector<Heterogeneity<T>> learned;           // by learned h
  std::vector<Heterogeneity<T>> coefficient, own;  // by coefficient; by own coordinate
  Vector score;                                    // u_0 of the partial coordinates
  Vector precision;                                // A of each: 1 + w^2 S0
  Vector sum0, sum1;        // S0 = sum_g j/(1 + h^2 j), S1 = sum_g j c/(1 + h^2 j)
  Vector center;            // v of every own coordinate (0 where not pooled)
  Vector common;            // completely pooled scores
  BetweenPoint<T> between;  // R_b
  T log_density;            // log prior of all this, with the Jacobian of the change of variables

  void resize(const Model& model, const Layout& layout) {
    learned.assign(layout.learned.size(), constant_heterogeneity<T>(1.0));
    coefficient.clear();
    for (const Block& block : model.coefficients) {
      coefficient.push_back(constant_heterogeneity<T>(block.h_or(1.0)));
    }
    own.clear();
    for (int coordinate : layout.own_coordinates) {
      own.push_back(constant_heterogeneity<T>(model.block_of(coordinate).h_or(1.0)));
    }
    for (Vector* v : {&score, &precision, &sum0, &sum1}) v->setZero(layout.population.size);
    center.setZero(layout.n_own());
    common.setZero(layout.common.size);
    between.resize(model);
  }
};

// Fills the point from what is shared of the position x.
template <class T>
void fill_population(const Model& model, const Coordinates& coordinates,
                     const Eigen::Matrix<T, Eigen::Dynamic, 1>& x, PopulationPoint<T>& point) {
  using std::log;
  using std::sqrt;
  const Layout& layout = coordinates.layout;
  point.log_density = T(0);
  for (std::size_t h = 0; h < layout.learned.size(); ++h) {
    point.learned[h] =
        learned_heterogeneity(layout.learned[h], coordinates.heterogeneities[h], x[h]);
    point.log_density += point.learned[h].log_prior;
  }
  for (std::size_t k = 0; k < point.coefficient.size(); ++k) {
    const int h = layout.coefficient_heterogeneity[k];
    if (h != Layout::not_learned) point.coefficient[k] = point.learned[h];
  }
  for (std::size_t i = 0; i < point.own.size(); ++i) {
    const int h = layout.own_heterogeneity[i];
    if (h != Layout::not_learned) point.own[i] = point.learned[h];
  }
  for (int p = 0; p < layout.population.size; ++p) {
    const Heterogeneity<T>& own = point.own[layout.partial[p]];
    T sum0(0), sum1(0);
    for (int g = 0; g < layout.n_groups; ++g) {
      const T j(coordinates.population_information(p, g));
      const T shrunk = T(1) / (T(1) + own.h * own.h * j);
      sum0 += j * shrunk;
      sum1 += T(coordinates.population_b(p, g)) * shrunk;
    }
    point.sum0[p] = sum0;
    point.sum1[p] = sum1;
    point.precision[p] = T(1) + own.weight * own.weight * sum0;
    point.score[p] = own.weight * sum1 / point.precision[p] +
                     x[layout.population.begin + p] / sqrt(point.precision[p]);
    point.center[layout.partial[p]] = own.weight * point.score[p];
    point.log_density -= T(0.5) * (point.score[p] * point.score[p] + log(point.precision[p]));
  }
  if (layout.common.size > 0) {
    point.common = coordinates.common_center.template cast<T>();
    point.common.noalias() += coordinates.common_spread.template cast<T>().lazyProduct(
        x.segment(layout.common.begin, layout.common.size));
    point.log_density -= T(0.5) * point.common.squaredNorm();
  }
  if (layout.between.size > 0) {
    point.between.score = x.segment(layout.between.begin, layout.between.size);
    point.log_density -= T(0.5) * point.between.score.squaredNorm();
    fill_between(model, point.between);
  }
}

// Gradients of everything else: in v and h of own coordinates, in common scores, in h and sqrt(1 -
// h^2) of the coefficients, in the scores of R_b.
struct PopulationGradient {
  Eigen::VectorXd center, common, h, coefficient_h, coefficient_weight, between;

  void resize(const Model& model, const Layout& layout) {
    center.setZero(layout.n_own());
    h.setZero(layout.n_own());
    common.setZero(layout.common.size);
    coefficient_h.setZero(model.n_coefficients());
    coefficient_weight.setZero(model.n_coefficients());
    between.setZero(layout.between.size);
  }

  void add(const PopulationGradient& other) {
    center += other.center;
    common += other.common;
    h += other.h;
    coefficient_h += other.coefficient_h;
    coefficient_weight += other.coefficient_weight;
    between += other.between;
  }
};

// The reverse of fill_population(): writes what is shared of the gradient, from these.
void differentiate_population(const Coordinates& coordinates, const Eigen::VectorXd& x,
                              const PopulationPoint<double>& point, const PopulationGradient& outer,
                              Eigen::VectorXd& gradient);

}  // namespace hmvn
