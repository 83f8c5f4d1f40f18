#include "hmvn/direct/weight_bound.hpp"
#include "hmvn/math/dense.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace hmvn {

namespace {

// One term of the separable bound (D9), as a function of x = log(sigma_k):
//   base(x) = psi_k(x) + epsilon_k (x - x*) - beta_k t / 2,   t = exp(2 (x* - x)), beta = alpha -
//   epsilon,
// to which the means may add at most gain(x) = min(cap, kappa_k / t).
class BoundTerm {
 public:
  BoundTerm(const DirectTarget& target, const Contact& contact, int k)
      : target_(target),
        k_(k),
        contact_(0.5 * std::log(contact.covariance(k, k))),
        epsilon_(contact.epsilon[k]),
        beta_(contact.alpha[k] - contact.epsilon[k]) {}

  double supremum() const { return concave() ? base(peak()) : supremum_of_two_hills(); }

  // Of base + gain. Left of the peak both rise. Right of it base falls, so that over a short
  // interval the sum is at most base at the left end plus gain at the right end; gain never exceeds
  // its cap, which ends the search.
  double supremum_with_gain(double kappa, double cap) const {
    if (!concave()) return supremum_of_two_hills() + cap;
    constexpr double step = 0.005;
    double best = -std::numeric_limits<double>::infinity();
    for (double x = peak();; x += step) {
      const double here = base(x);
      if (here + cap <= best) return best;
      const double gain = kappa * std::exp(2.0 * (x + step - contact_));
      if (gain >= cap) return std::max(best, here + cap);
      best = std::max(best, here + gain);
    }
  }

 private:
  bool concave() const { return target_.model->scale_priors[k_].concave_in_log(); }

  double base(double x) const { return target_.log_scale_factor(k_, x) + of_contact(x); }
  double of_contact(double x) const {
    return epsilon_ * (x - contact_) - 0.5 * beta_ * std::exp(-2.0 * (x - contact_));
  }
  double base_slope(double x) const {
    return target_.log_scale_factor_slope(k_, x) + epsilon_ +
           beta_ * std::exp(-2.0 * (x - contact_));
  }

  // Where log f is concave in x so is base, and its slope falls: the peak is the slope's only root.
  // find_contact() sees to it that there is one on the left.
  double peak() const {
    if (std::abs(base_slope(contact_)) <= 1e-9 * (epsilon_ + beta_)) return contact_;
    double low = contact_, high = contact_;
    while (base_slope(high) > 0.0) high += 1.0;
    while (base_slope(low) < 0.0) low -= 1.0;
    for (int i = 0; i < 60; ++i) {
      const double middle = 0.5 * (low + high);
      (base_slope(middle) > 0.0 ? low : high) = middle;
    }
    return 0.5 * (low + high);
  }

  // base = hill + log f: the hill (epsilon - c) x - beta t / 2 rises up to t = (c - epsilon) / beta
  // and falls beyond, log f does so about its own peak. Left of both peaks base rises, right of
  // both it falls, so its maximum is between them. Of an interval there, the larger end of each
  // summand bounds the sum; intervals are halved until the bound is within a thousandth of a value
  // that base takes.
  double supremum_of_two_hills() const {
    const double c = target_.sigma_power();
    const ScalePrior& prior = target_.model->scale_priors[k_];
    const auto hill = [&](double x) { return -c * x + of_contact(x); };
    const auto density = [&](double x) { return prior.log_density_of_scale(x); };
    const double hill_peak = contact_ - 0.5 * std::log((c - epsilon_) / beta_);
    std::vector<std::pair<double, double>> open{std::minmax({hill_peak, prior.log_peak()})};
    double best = std::max(base(open[0].first), base(open[0].second)), bound = best;
    while (!open.empty()) {
      const auto [left, right] = open.back();
      open.pop_back();
      const double highest =
          std::max(hill(left), hill(right)) + std::max(density(left), density(right));
      const double middle = 0.5 * (left + right);
      best = std::max(best, base(middle));
      if (highest <= best + 1e-3 || !(right - left > 1e-7)) {
        bound = std::max(bound, highest);
      } else {
        open.emplace_back(left, middle);
        open.emplace_back(middle, right);
      }
    }
    return std::max(bound, best);
  }

  const DirectTarget& target_;
  int k_;
  double contact_, epsilon_, beta_;  // x* = log(sigma*_k)
};

}  // namespace

double largest_extra_df(const Contact& contact) {
  const Eigen::VectorXd root =
      contact.epsilon.cwiseQuotient(contact.covariance.diagonal()).cwiseSqrt();
  const Eigen::MatrixXd scaled = root.asDiagonal() * contact.covariance * root.asDiagonal();
  return 0.999 * smallest_eigenvalue(scaled);
}

double bound_log_weight(const DirectTarget& target, const Contact& contact, double extra_df,
                        double log_root, const std::atomic<bool>& stop) {
  const int n_features = target.n_features();
  const Eigen::VectorXd scale = contact.covariance.diagonal().cwiseSqrt();
  // Sums over groups: T's determinants at Sigma* less their tangent (D10); q(Sigma*); E and kappa
  // of (D11).
  double determinants = 0.0, quadratic = 0.0, energy = 0.0;
  Eigen::VectorXd kappa = Eigen::VectorXd::Zero(n_features);
  for (std::size_t g = 0; g < target.group_n.size(); ++g) {
    stop_if_asked(stop);
    const double n = target.group_n[g];
    Eigen::MatrixXd spread = contact.covariance / n;
    spread += target.mean_variance;
    const CholeskyFactor root(spread);
    const Eigen::MatrixXd share = root.solve(contact.covariance) / n;  // (Sigma* + n D)^-1 Sigma*
    determinants -= root.lower().diagonal().array().log().sum() + 0.5 * share.trace();
    const Eigen::VectorXd& delta = target.group_mean[g];
    const Eigen::VectorXd slope = root.solve_vector(delta);
    quadratic -= 0.5 * delta.dot(slope);
    energy += 0.5 / n * slope.dot(contact.covariance * slope);
    kappa += mean_kappa(n, slope, scale);
  }
  const double cap = energy - quadratic;
  const double matrix = extra_df * log_root - 0.5 * (contact.epsilon.sum() - extra_df * n_features);
  double without_gain = matrix + determinants, with_gain = without_gain + quadratic - energy;
  for (int k = 0; k < n_features; ++k) {
    const BoundTerm term(target, contact, k);
    without_gain += term.supremum();
    with_gain += cap < 0.01 ? std::numeric_limits<double>::infinity()
                            : term.supremum_with_gain(kappa[k], cap);
  }
  // Rounding of sums of this size.
  return std::min(without_gain, with_gain) + 1e-10 * target.n;
}

}  // namespace hmvn
