// The effective sample size of several chains, from their autocovariances up to Geyer's truncation.
#pragma once

#include <Eigen/Core>
#include <unsupported/Eigen/FFT>

#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <vector>

namespace hmvn {

// Autocovariances averaged over chains, computed when asked for: as direct sums for the first lags,
// which is all that well mixing chains need, and by one Fourier transform for the rest, so that
// badly mixing chains cost n log n and not n^2.
class MeanAutocovariance {
 public:
  // `centred`: one chain a column, mean zero; it must outlive the calls.
  void start(const Eigen::MatrixXd& centred) {
    chains_ = &centred;
    transformed_ = false;
  }

  // sum over chains and i of y_i y_(i + lag), over (iterations * chains): what the mean of biased
  // autocovariances is.
  double operator()(Eigen::Index lag) {
    if (lag >= direct_lags && !transformed_) transform();
    const Eigen::Index n = chains_->rows();
    double sum = 0.0;
    if (transformed_) {
      sum = lagged_[static_cast<std::size_t>(lag)].real();
    } else {
      for (Eigen::Index c = 0; c < chains_->cols(); ++c) {
        sum += chains_->col(c).head(n - lag).dot(chains_->col(c).tail(n - lag));
      }
    }
    return sum / static_cast<double>(chains_->size());
  }

 private:
  // About where a direct sum a lag has cost as much as the transforms.
  static constexpr Eigen::Index direct_lags = 64;

  // Two chains a and b go through one transform as a + ib: the real part of its autocovariance is
  // the sum of theirs. Padding to twice the length keeps the ends from meeting. Powers add up over
  // chains, so one inverse serves all.
  void transform() {
    const Eigen::Index n = chains_->rows();
    std::size_t size = 1;
    while (size < 2 * static_cast<std::size_t>(n)) size *= 2;
    std::vector<std::complex<double>> power(size, 0.0);
    for (Eigen::Index c = 0; c < chains_->cols(); c += 2) {
      padded_.assign(size, 0.0);
      for (Eigen::Index i = 0; i < n; ++i) {
        padded_[static_cast<std::size_t>(i)] = {
            (*chains_)(i, c), c + 1 < chains_->cols() ? (*chains_)(i, c + 1) : 0.0};
      }
      fourier_.fwd(spectrum_, padded_);
      for (std::size_t f = 0; f < size; ++f) power[f] += std::norm(spectrum_[f]);
    }
    fourier_.inv(lagged_, power);
    transformed_ = true;
  }

  const Eigen::MatrixXd* chains_ = nullptr;
  bool transformed_ = false;
  Eigen::FFT<double> fourier_;
  std::vector<std::complex<double>> padded_, spectrum_, lagged_;
};

// Effective size of draws in `chains` (one a column, already split; centred in place): Vehtari,
// Gelman, Simpson, Carpenter and Buerkner (2021), eqs. 10-13 with Geyer's initial positive and
// monotone sequence, step by step as the R package posterior does it. NaN for fewer than 3
// iterations; the caller has excluded constants.
inline double effective_size(Eigen::MatrixXd& chains, MeanAutocovariance& autocovariance,
                             std::vector<double>& rho) {
  const Eigen::Index n = chains.rows(), m = chains.cols();
  if (n < 3) return std::numeric_limits<double>::quiet_NaN();
  const Eigen::RowVectorXd mean = chains.colwise().mean();
  chains.rowwise() -= mean;
  autocovariance.start(chains);

  const double within = autocovariance(0) * static_cast<double>(n) / static_cast<double>(n - 1);
  double total = within * static_cast<double>(n - 1) / static_cast<double>(n);
  if (m > 1) total += (mean.array() - mean.mean()).square().sum() / static_cast<double>(m - 1);
  const auto correlation = [&](Eigen::Index lag) {
    return 1.0 - (within - autocovariance(lag)) / total;
  };

  rho.assign(static_cast<std::size_t>(n) + 2, 0.0);
  double even = 1.0, odd = correlation(1);
  rho[0] = even;
  rho[1] = odd;
  Eigen::Index t = 0;
  while (t < n - 5 && even + odd > 0.0) {  // also ends on NaN
    t += 2;
    even = correlation(t);
    odd = correlation(t + 1);
    if (even + odd >= 0.0) {
      rho[static_cast<std::size_t>(t)] = even;
      rho[static_cast<std::size_t>(t) + 1] = odd;
    }
  }
  const std::size_t last = static_cast<std::size_t>(t);
  if (even > 0.0) rho[last] = even;  // lowers the variance of the estimate for antithetic chains
  for (std::size_t s = 2; s + 2 <= last; s += 2) {
    if (rho[s] + rho[s + 1] > rho[s - 2] + rho[s - 1])
      rho[s] = rho[s + 1] = (rho[s - 2] + rho[s - 1]) / 2.0;
  }
  double sum = last == 0 ? rho[0] : 0.0;
  for (std::size_t s = 0; s < last; ++s) sum += rho[s];
  const double draws = static_cast<double>(n) * static_cast<double>(m);
  const double time = -1.0 + 2.0 * sum + rho[last];
  return draws /
         std::max(time,
                  1.0 / std::log10(draws));  // the cap keeps antithetic estimates from exploding
}

}  // namespace hmvn
