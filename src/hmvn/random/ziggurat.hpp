// The tables of the ziggurat: the area under the standard normal density's half in 256 layers of
// equal size.
#pragma once

#include <array>
#include <cmath>

namespace hmvn {

// Marsaglia and Tsang (2000), "The ziggurat method for generating random variables", with their 256
// layers. Layer i >= 1 is the rectangle (0, edge[i]) x (height[i], height[i + 1]); layer 0 is (0,
// tail) x (0, height[1]) with the tail beyond, of which edge[0] is the width that a rectangle of
// that size has.
struct Ziggurat {
  static constexpr int layers = 256;
  static constexpr double tail = 3.6541528853610088;

  std::array<double, layers + 1> edge, height;  // height = exp(-edge^2 / 2)
  std::array<double, layers> step;  // edge / 2^53: what a unit of the random integer is worth
  std::array<double, layers>
      inside;  // share of the layer below the edge of the next, in such units

  Ziggurat() {
    const double at_tail = std::exp(-0.5 * tail * tail);
    const double area =
        tail * at_tail +
        1.2533141373155001 * std::erfc(tail * 0.70710678118654757);  // sqrt(pi/2), 1/sqrt(2)
    edge[0] = area / at_tail;
    edge[1] = tail;
    for (int i = 2; i < layers; ++i) {
      edge[i] = std::sqrt(
          -2.0 * std::log(area / edge[i - 1] + std::exp(-0.5 * edge[i - 1] * edge[i - 1])));
    }
    edge[layers] = 0.0;
    for (int i = 0; i <= layers; ++i) height[i] = std::exp(-0.5 * edge[i] * edge[i]);
    for (int i = 0; i < layers; ++i) {
      step[i] = edge[i] * 0x1.0p-53;
      inside[i] = edge[i + 1] / edge[i] * 0x1.0p53;
    }
  }
};

inline const Ziggurat ziggurat{};

}  // namespace hmvn
