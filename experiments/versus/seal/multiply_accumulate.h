// Sums of products of residues and scalars, unreduced.
#pragma once

#include <cstddef>
#include <cstdint>

namespace henge::versus {

// For every output o and column t below `columns` (a multiple of 8):
//   low[o][t] + 2^32 high[o][t] = sum_k weights[o][k] * x[k][first + t]
// over 32-bit numbers, of which `chunk` products fit 64 bits together. Runs on AVX2.
void multiply_accumulate(
    const std::uint64_t *const *x, const std::uint64_t *weights, std::size_t inputs, std::size_t outputs,
    std::size_t first, std::uint64_t *low, std::uint64_t *high, std::size_t columns, std::size_t chunk);

} // namespace henge::versus
