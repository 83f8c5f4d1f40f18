// A short number for the bytes of a column: what was read can be told from what lies there later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hmvn {

// Every step maps the state one to one for given bytes, and the bytes one to one for a given state:
// two columns that differ in a single cell never have the same fingerprint. Four lanes, so that
// memory is waited for and not multiplications.
inline std::uint64_t fingerprint(const void* data, std::size_t n_bytes) {
  constexpr std::uint64_t factor = 0x9E3779B97F4A7C15ull;  // odd, so that it can be undone
  const auto mix = [](std::uint64_t state, std::uint64_t word) {
    state = (state ^ word) * factor;
    return state ^ (state >> 32);
  };
  const unsigned char* at = static_cast<const unsigned char*>(data);
  std::uint64_t lane[4] = {1, 2, 3, 4};
  for (; n_bytes >= sizeof lane; n_bytes -= sizeof lane, at += sizeof lane) {
    std::uint64_t word[4];
    std::memcpy(word, at, sizeof word);
    for (int i = 0; i < 4; ++i) lane[i] = mix(lane[i], word[i]);
  }
  std::uint64_t rest[4] = {0, 0, 0, 0};
  std::memcpy(rest, at, n_bytes);
  std::uint64_t state = n_bytes;
  for (int i = 0; i < 4; ++i) state = mix(mix(state, lane[i]), rest[i]);
  return state;
}

}  // namespace hmvn
