#include "hmvn/coordinates/coordinates.hpp"

#include <algorithm>
#include <cmath>

#include "hmvn/coordinates/heterogeneity.hpp"
#include "hmvn/math/dense.hpp"

namespace hmvn {

namespace {

// Parts of what is given over all coordinates.
Eigen::MatrixXd select(const Eigen::MatrixXd& matrix, const std::vector<int>& rows,
                       const std::vector<int>& cols) {
  Eigen::MatrixXd out(rows.size(), cols.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < cols.size(); ++j) out(i, j) = matrix(rows[i], cols[j]);
  }
  return out;
}

Eigen::VectorXd select(const Eigen::VectorXd& vector, const std::vector<int>& rows) {
  Eigen::VectorXd out(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) out[i] = vector[rows[i]];
  return out;
}

// Each own score's estimate c and its information j, other scores integrated out, from the
// posterior under a Normal(pooled, 1) prior: column g of population_information and population_b.
void fill_estimates(const Reference& reference, int g, Coordinates& out) {
  const Layout& layout = out.layout;
  const QuadraticLikelihood& quadratic = reference.groups[g];
  const Eigen::VectorXd pooled_own = select(reference.pooled, layout.own_coordinates);
  const Eigen::VectorXd pooled_common = select(reference.pooled, layout.common_coordinates);
  const Eigen::MatrixXd own =
      select(quadratic.information, layout.own_coordinates, layout.own_coordinates);
  const Eigen::MatrixXd cross =
      select(quadratic.information, layout.own_coordinates, layout.common_coordinates);
  const Eigen::VectorXd b = select(quadratic.b, layout.own_coordinates);
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(layout.n_own(), layout.n_own());
  const CholeskyFactor posterior(own + identity);
  const Eigen::VectorXd variance = posterior.solve(identity).diagonal();
  const Eigen::VectorXd shift =
      posterior.solve_vector(b - own * pooled_own - cross * pooled_common);
  for (int p = 0; p < layout.population.size; ++p) {
    const int i = layout.partial[p];
    const double information = std::max(0.0, 1.0 / variance[i] - 1.0);
    out.population_information(p, g) = information;
    out.population_b(p, g) = pooled_own[i] * information + shift[i] * (1.0 + information);
  }
}

// What the common scores see once the own ones are integrated out: a Schur complement, with a guess
// of 1/2 for what h is learned.
void fill_common(const Model& model, const Reference& reference, const std::atomic<bool>& stop,
                 Coordinates& out) {
  const Layout& layout = out.layout;
  const int n_own = layout.n_own(), n_common = layout.common.size;
  Eigen::VectorXd h(n_own);
  for (int i = 0; i < n_own; ++i) h[i] = model.block_of(layout.own_coordinates[i]).h_or(0.5);
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(n_own, n_own);
  Eigen::MatrixXd precision = Eigen::MatrixXd::Identity(n_common, n_common);
  Eigen::VectorXd b = Eigen::VectorXd::Zero(n_common);
  for (const QuadraticLikelihood& quadratic : reference.groups) {
    stop_if_asked(stop);
    Eigen::MatrixXd seen =
        select(quadratic.information, layout.common_coordinates, layout.common_coordinates);
    Eigen::VectorXd seen_b = select(quadratic.b, layout.common_coordinates);
    if (n_own > 0) {  // Eigen's products with what is empty refer to a null pointer
      const Eigen::MatrixXd own =
          select(quadratic.information, layout.own_coordinates, layout.own_coordinates);
      const Eigen::MatrixXd cross =
          select(quadratic.information, layout.own_coordinates, layout.common_coordinates);
      const Eigen::MatrixXd scaled = h.asDiagonal() * own * h.asDiagonal();
      const Eigen::MatrixXd through =
          h.asDiagonal() * CholeskyFactor(identity + scaled).solve(h.asDiagonal() * cross);
      seen -= multiply(cross.transpose(), through);
      seen_b -= through.transpose() * select(quadratic.b, layout.own_coordinates);
    }
    precision += seen;
    b += seen_b;
  }
  const CholeskyFactor root(0.5 * (precision + precision.transpose()));
  out.common_spread = root.inverse_upper();
  out.common_center = root.solve_vector(b);
}

// The log of the density of all groups' estimates c_g of one score, with information j_g, given h:
// the score and the population score integrated out, as in (C8).
double marginal_log_density(double h, double weight, const Eigen::RowVectorXd& information,
                            const Eigen::RowVectorXd& b) {
  double log_density = 0.0, sum0 = 0.0, sum1 = 0.0;
  for (Eigen::Index g = 0; g < information.size(); ++g) {
    if (!(information[g] > 0.0)) continue;
    const double shrunk = 1.0 / (1.0 + h * h * information[g]);
    log_density += 0.5 * (std::log(shrunk) - b[g] * b[g] / information[g] * shrunk);
    sum0 += information[g] * shrunk;
    sum1 += b[g] * shrunk;
  }
  const double precision = 1.0 + weight * weight * sum0;
  return log_density + 0.5 * (weight * weight * sum1 * sum1 / precision - std::log(precision));
}

// The estimates that tell of one h: one a row.
struct Estimates {
  std::vector<Eigen::RowVectorXd> information, b;

  void add(const Eigen::MatrixXd& all_information, const Eigen::MatrixXd& all_b, int row) {
    information.push_back(all_information.row(row));
    b.push_back(all_b.row(row));
  }
};

// The map that standardises what the estimates say of h, if they were all there is (C9).
HeterogeneityMap standardise(const HeterogeneityPrior& prior, const Estimates& estimates,
                             const std::atomic<bool>& stop) {
  return HeterogeneityMap([&](double x) {
    stop_if_asked(stop);
    const Heterogeneity<double> at = heterogeneity_at(prior, x);
    double log_density = at.log_prior;
    for (std::size_t i = 0; i < estimates.b.size(); ++i) {
      log_density +=
          marginal_log_density(at.h, at.weight, estimates.information[i], estimates.b[i]);
    }
    return log_density;
  });
}

void fill_heterogeneities(const Model& model, const Reference& reference,
                          const std::atomic<bool>& stop, Coordinates& out) {
  const Layout& layout = out.layout;
  std::vector<Estimates> estimates(layout.learned.size());
  for (int k = 0; k < model.n_coefficients(); ++k) {
    const int h = layout.coefficient_heterogeneity[k];
    if (h == Layout::not_learned) continue;
    estimates[h].add(reference.coefficient_information, reference.coefficient_b, k);
  }
  for (int p = 0; p < layout.population.size; ++p) {
    const int h = layout.own_heterogeneity[layout.partial[p]];
    if (h == Layout::not_learned) continue;
    estimates[h].add(out.population_information, out.population_b, p);
  }
  for (std::size_t h = 0; h < layout.learned.size(); ++h) {
    out.heterogeneities.push_back(standardise(layout.learned[h], estimates[h], stop));
  }
}

}  // namespace

GroupConstants<Eigen::Dynamic> make_group_constants(const Layout& layout,
                                                    const QuadraticLikelihood& quadratic,
                                                    int n_features) {
  const int n = n_correlations(n_features);
  const Eigen::MatrixXd& J = quadratic.information;
  GroupConstants<Eigen::Dynamic> out;
  out.own_scales = layout.n_own_scales > 0;
  out.own_correlations = layout.n_own_correlations > 0;
  out.Q.setIdentity(n, n);
  out.l.setZero(n);
  out.M.setZero(n, n_features);
  out.J_ss.setZero(n_features, n_features);
  out.b_s.setZero(n_features);
  out.b_c.setZero(n);
  const Eigen::MatrixXd cross = select(J, layout.own_coordinates, layout.common_coordinates);
  if (out.own_scales) {
    out.J_ss = J.topLeftCorner(n_features, n_features);
    out.b_s = quadratic.b.head(n_features);
    out.J_s_common = cross.topRows(n_features);
  }
  if (out.own_correlations) {
    const SymmetricEigen eigen = symmetric_eigen(J.bottomRightCorner(n, n));
    out.Q = eigen.vectors;
    out.l = eigen.values.cwiseMax(0.0);
    out.b_c = out.Q.transpose() * quadratic.b.tail(n);
    out.J_c_common = multiply(out.Q.transpose(), cross.bottomRows(n));
    if (out.own_scales) {
      out.M = multiply(out.Q.transpose(), J.bottomLeftCorner(n, n_features));
    }
  }
  return out;
}

Coordinates make_coordinates(const Model& model, const std::vector<GroupStatistics>& groups,
                             const std::atomic<bool>& stop) {
  Coordinates out;
  out.layout = make_layout(model, static_cast<int>(groups.size()));
  const Layout& layout = out.layout;
  const Reference reference = model.known_covariances ? known_reference(model, groups)
                                                      : make_reference(model, groups, stop);
  out.population_information.setZero(layout.population.size, layout.n_groups);
  out.population_b.setZero(layout.population.size, layout.n_groups);
  for (int g = 0; g < layout.n_groups; ++g) {
    stop_if_asked(stop);
    out.groups.push_back(make_group_constants(layout, reference.groups[g], model.n_features()));
    if (layout.population.size > 0) fill_estimates(reference, g, out);
  }
  if (layout.common.size > 0) fill_common(model, reference, stop, out);
  fill_heterogeneities(model, reference, stop, out);
  return out;
}

}  // namespace hmvn
