#include "experiments/versus/seal/multiply_accumulate.h"

#include <immintrin.h>

#include <algorithm>

namespace henge::versus {

using std::size_t;
using std::uint64_t;

// Five outputs and eight columns at a time: ten sums in registers, and two loads of x for ten products.
__attribute__((target("avx2"))) void multiply_accumulate(
    const uint64_t *const *x, const uint64_t *weights, size_t inputs, size_t outputs, size_t first, uint64_t *low,
    uint64_t *high, size_t columns, size_t chunk) {
    const __m256i low_half = _mm256_set1_epi64x(0xffffffff);
    for (size_t o = 0; o < outputs; o += 5) {
        size_t rows = std::min<size_t>(5, outputs - o);
        // A short block computes its first row again in place of the missing ones.
        const uint64_t *w[5];
        for (size_t j = 0; j < 5; j++) {
            w[j] = weights + (o + (j < rows ? j : 0)) * inputs;
        }
        for (size_t t = 0; t < columns; t += 8) {
            __m256i l[5][2], h[5][2];
            for (size_t j = 0; j < 5; j++) {
                for (int u = 0; u < 2; u++) {
                    l[j][u] = h[j][u] = _mm256_setzero_si256();
                }
            }
            for (size_t k0 = 0; k0 < inputs; k0 += chunk) {
                size_t k1 = std::min(inputs, k0 + chunk);
                __m256i sum[5][2];
                for (size_t j = 0; j < 5; j++) {
                    sum[j][0] = sum[j][1] = _mm256_setzero_si256();
                }
                for (size_t k = k0; k < k1; k++) {
                    auto at = reinterpret_cast<const __m256i *>(x[k] + first + t);
                    __m256i p = _mm256_loadu_si256(at), q = _mm256_loadu_si256(at + 1);
#pragma GCC unroll 5
                    for (size_t j = 0; j < 5; j++) {
                        __m256i v = _mm256_set1_epi64x(static_cast<long long>(w[j][k]));
                        sum[j][0] = _mm256_add_epi64(sum[j][0], _mm256_mul_epu32(p, v));
                        sum[j][1] = _mm256_add_epi64(sum[j][1], _mm256_mul_epu32(q, v));
                    }
                }
                for (size_t j = 0; j < 5; j++) {
                    for (int u = 0; u < 2; u++) {
                        l[j][u] = _mm256_add_epi64(l[j][u], _mm256_and_si256(sum[j][u], low_half));
                        h[j][u] = _mm256_add_epi64(h[j][u], _mm256_srli_epi64(sum[j][u], 32));
                    }
                }
            }
            for (size_t j = 0; j < rows; j++) {
                for (int u = 0; u < 2; u++) {
                    size_t at = (o + j) * columns + t + 4 * u;
                    _mm256_storeu_si256(reinterpret_cast<__m256i *>(low + at), l[j][u]);
                    _mm256_storeu_si256(reinterpret_cast<__m256i *>(high + at), h[j][u]);
                }
            }
        }
    }
}

} // namespace henge::versus
