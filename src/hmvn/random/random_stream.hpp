// A stream of random numbers that is the same on every platform and belongs to one owner.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "hmvn/random/ziggurat.hpp"

namespace hmvn {

// The constants of a gamma distribution of scale 1 (Marsaglia and Tsang 2000, "A simple method for
// generating gamma variables"). A shape below 1 is drawn one larger and multiplied by
// uniform^boost.
struct GammaShape {
  explicit GammaShape(double shape)
      : boost(shape < 1.0 ? 1.0 / shape : 0.0),
        d(shape + (shape < 1.0 ? 2.0 : -1.0) / 3.0),
        c(1.0 / std::sqrt(9.0 * d)) {}

  double boost, d, c;
};

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

  // Standard normal by the ziggurat. Eight bits choose the layer, the other 54 make a signed number
  // on (-1, 1) of it, as bits used twice would show (Doornik 2005).
  double normal() {
    for (;;) {
      const std::uint64_t bits = next();
      const int layer = static_cast<int>(bits & 255);
      const double signed_units = static_cast<double>(static_cast<std::int64_t>(bits) >> 10);
      const double x = signed_units * ziggurat.step[layer];
      if (std::abs(signed_units) < ziggurat.inside[layer]) return x;
      if (layer == 0) return std::copysign(normal_tail(), signed_units);
      const double low = ziggurat.height[layer], high = ziggurat.height[layer + 1];
      if (low + uniform() * (high - low) < std::exp(-0.5 * x * x)) return x;
    }
  }

  double gamma(const GammaShape& gamma) {
    if (gamma.boost > 0.0) return standard_gamma(gamma) * std::pow(uniform(), gamma.boost);
    return standard_gamma(gamma);
  }
  double gamma(double shape) { return gamma(GammaShape(shape)); }

  template <class Archive>
  void visit(Archive& archive) {
    for (std::uint64_t& word : state_) archive(word);
  }

 private:
  static constexpr std::uint64_t golden_gamma = 0x9e3779b97f4a7c15ULL;

  // The normal beyond the ziggurat's base (Marsaglia 1964).
  double normal_tail() {
    for (;;) {
      const double x = -std::log(uniform()) / Ziggurat::tail;
      if (-2.0 * std::log(uniform()) >= x * x) return Ziggurat::tail + x;
    }
  }

  double standard_gamma(const GammaShape& gamma) {
    for (;;) {
      const double z = normal();
      const double root = 1.0 + gamma.c * z;
      if (root <= 0.0) continue;
      const double v = root * root * root;
      const double u = uniform();
      const double square = z * z;
      if (u < 1.0 - 0.0331 * square * square) return gamma.d * v;
      if (std::log(u) < 0.5 * square + gamma.d * (1.0 - v + std::log(v))) return gamma.d * v;
    }
  }

  static std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  static std::uint64_t mix(std::uint64_t z) {
    z += golden_gamma;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  std::array<std::uint64_t, 4> state_;
};

}  // namespace hmvn
