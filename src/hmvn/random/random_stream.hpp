// A stream of random numbers that is the same on every platform and belongs to one owner.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace hmvn {

// xoshiro256++ (Blackman and Vigna 2021), seeded through splitmix64 from a seed and the
// indices of its owner (a sampling unit, a chain), so that draws depend on these alone:
// not on threads, on order, or on the compiler's <random>.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t unit, std::uint64_t chain) {
    std::uint64_t mixer = mix(mix(mix(seed) ^ unit) ^ (chain << 1 | 1));
    for (std::uint64_t& word : state_) {
      mixer += golden_gamma;
      word = mix(mixer);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  // Uniform on the open interval (0, 1): never 0, so that its logarithm is finite.
  double uniform() { return (static_cast<double>(next() >> 12) + 0.5) * 0x1.0p-52; }

  // Standard normal by Marsaglia's polar method; the second of each pair is kept.
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double x, y, square;
    do {
      x = 2.0 * uniform() - 1.0;
      y = 2.0 * uniform() - 1.0;
      square = x * x + y * y;
    } while (square >= 1.0 || square == 0.0);
    const double factor = std::sqrt(-2.0 * std::log(square) / square);
    spare_ = y * factor;
    has_spare_ = true;
    return x * factor;
  }

  // Gamma with the given shape and scale 1, by Marsaglia and Tsang (2000).
  double gamma(double shape) {
    if (shape < 1.0) return gamma(shape + 1.0) * std::pow(uniform(), 1.0 / shape);
    const double d = shape - 1.0 / 3.0;
    const double c = 1.0 / std::sqrt(9.0 * d);
    for (;;) {
      const double z = normal();
      const double root = 1.0 + c * z;
      if (root <= 0.0) continue;
      const double v = root * root * root;
      const double u = uniform();
      if (u < 1.0 - 0.0331 * z * z * z * z) return d * v;
      if (std::log(u) < 0.5 * z * z + d * (1.0 - v + std::log(v))) return d * v;
    }
  }

  double chi_square(double df) { return 2.0 * gamma(0.5 * df); }

 private:
  static constexpr std::uint64_t golden_gamma = 0x9e3779b97f4a7c15ULL;

  static std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  static std::uint64_t mix(std::uint64_t z) {
    z += golden_gamma;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  std::array<std::uint64_t, 4> state_;
  double spare_ = 0.0;
  bool has_spare_ = false;
};

}  // namespace hmvn
