#include "experiments/versus/seal/matrix.h"

#include <seal/util/polyarithsmallmod.h>
#include <seal/util/uintarithsmallmod.h>

#include <algorithm>
#include <stdexcept>

#include "experiments/versus/seal/multiply_accumulate.h"

namespace henge::versus {

using seal::util::CoeffIter;
using seal::util::ConstCoeffIter;
using std::size_t;
using std::uint64_t;

static constexpr size_t TILE = 64;

Matrix::Matrix(
    std::uint32_t log_n, uint64_t prime, size_t inputs, size_t outputs, size_t components,
    rust::Slice<const std::int64_t> weights)
    : prime_(prime), degree_(size_t(1) << log_n), inputs_(inputs), outputs_(outputs), components_(components),
      rows_(inputs * components), results_(outputs * components, std::vector<uint64_t>(degree_)) {
    if (weights.size() != inputs * outputs || prime_.bit_count() > 32 || degree_ < TILE) {
        throw std::invalid_argument("weights that are not outputs x inputs, a prime over 32 bits, or short rows");
    }
    for (auto w : weights) {
        uint64_t magnitude = static_cast<uint64_t>(w < 0 ? -w : w) % prime;
        weights_.push_back(w >= 0 || magnitude == 0 ? magnitude : prime - magnitude);
    }
}

void Matrix::set_row(size_t row, rust::Slice<const uint64_t> words) {
    if (words.size() != degree_) {
        throw std::invalid_argument("not N words");
    }
    rows_.at(row).assign(words.begin(), words.end());
}

void Matrix::run(bool hand_tuned) {
    size_t chunk = size_t(1) << std::min(20, 64 - 2 * prime_.bit_count());
    std::vector<uint64_t> low(outputs_ * TILE), high(outputs_ * TILE), product(degree_);
    std::vector<const uint64_t *> x(inputs_);
    for (size_t c = 0; c < components_; c++) {
        for (size_t k = 0; k < inputs_; k++) {
            x[k] = rows_[k * components_ + c].data();
        }
        if (hand_tuned) {
            for (size_t first = 0; first < degree_; first += TILE) {
                multiply_accumulate(
                    x.data(), weights_.data(), inputs_, outputs_, first, low.data(), high.data(), TILE, chunk);
                for (size_t o = 0; o < outputs_; o++) {
                    for (size_t t = 0; t < TILE; t++) {
                        unsigned __int128 sum =
                            (static_cast<unsigned __int128>(high[o * TILE + t]) << 32) + low[o * TILE + t];
                        uint64_t words[2] = { static_cast<uint64_t>(sum), static_cast<uint64_t>(sum >> 64) };
                        results_[o * components_ + c][first + t] = seal::util::barrett_reduce_128(words, prime_);
                    }
                }
            }
            continue;
        }
        for (size_t o = 0; o < outputs_; o++) {
            auto &sum = results_[o * components_ + c];
            std::fill(sum.begin(), sum.end(), 0);
            for (size_t k = 0; k < inputs_; k++) {
                seal::util::MultiplyUIntModOperand w;
                w.set(weights_[o * inputs_ + k], prime_);
                seal::util::multiply_poly_scalar_coeffmod(
                    ConstCoeffIter(x[k]), degree_, w, prime_, CoeffIter(product.data()));
                seal::util::add_poly_coeffmod(
                    ConstCoeffIter(sum.data()), ConstCoeffIter(product.data()), degree_, prime_, CoeffIter(sum.data()));
            }
        }
    }
}

rust::Vec<uint64_t> Matrix::result(size_t row) const {
    rust::Vec<uint64_t> words;
    auto &from = results_.at(row);
    words.reserve(from.size());
    std::copy(from.begin(), from.end(), std::back_inserter(words));
    return words;
}

std::unique_ptr<Matrix> make_matrix(
    std::uint32_t log_n, uint64_t prime, size_t inputs, size_t outputs, size_t components,
    rust::Slice<const std::int64_t> weights) {
    return std::make_unique<Matrix>(log_n, prime, inputs, outputs, components, weights);
}

} // namespace henge::versus
