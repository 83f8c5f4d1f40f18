#include "hmvn/coordinates/population.hpp"

namespace hmvn {

void differentiate_population(const Coordinates& coordinates, const Eigen::VectorXd& x,
                              const PopulationPoint<double>& point, const PopulationGradient& outer,
                              Eigen::VectorXd& gradient) {
  const Layout& layout = coordinates.layout;
  for (std::size_t h = 0; h < point.learned.size(); ++h) {
    gradient[h] = point.learned[h].log_prior_slope;
  }
  const auto add = [&](int h, double of_h, double of_weight) {
    gradient[h] += of_h * point.learned[h].slope + of_weight * point.learned[h].weight_slope;
  };
  for (int p = 0; p < layout.population.size; ++p) {
    const int i = layout.partial[p], at = layout.population.begin + p;
    const Heterogeneity<double>& own = point.own[i];
    const double precision = point.precision[p], root = std::sqrt(precision);
    const double score = point.score[p];
    const double score_slope = own.weight * outer.center[i] - score;
    gradient[at] = score_slope / root;
    if (layout.own_heterogeneity[i] == Layout::not_learned) continue;
    const double of_sum1 = score_slope * own.weight / precision;
    const double of_precision = -0.5 / precision - 0.5 * score_slope * x[at] / (precision * root) -
                                score_slope * own.weight * point.sum1[p] / (precision * precision);
    const double of_weight = outer.center[i] * score + score_slope * point.sum1[p] / precision +
                             2.0 * of_precision * own.weight * point.sum0[p];
    const double of_sum0 = of_precision * own.weight * own.weight;
    double of_h = outer.h[i];
    for (int g = 0; g < layout.n_groups; ++g) {
      const double j = coordinates.population_information(p, g);
      const double shrunk = 1.0 / (1.0 + own.h * own.h * j);
      of_h -= 2.0 * own.h * j * shrunk * shrunk *
              (of_sum0 * j + of_sum1 * coordinates.population_b(p, g));
    }
    add(layout.own_heterogeneity[i], of_h, of_weight);
  }
  for (std::size_t k = 0; k < point.coefficient.size(); ++k) {
    const int h = layout.coefficient_heterogeneity[k];
    if (h != Layout::not_learned) add(h, outer.coefficient_h[k], outer.coefficient_weight[k]);
  }
  if (layout.common.size > 0) {
    gradient.segment(layout.common.begin, layout.common.size).noalias() =
        coordinates.common_spread.transpose().lazyProduct(outer.common - point.common);
  }
  if (layout.between.size > 0) {
    gradient.segment(layout.between.begin, layout.between.size) =
        outer.between - point.between.score;
  }
}

}  // namespace hmvn
