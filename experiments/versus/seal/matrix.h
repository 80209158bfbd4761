// A matrix of scalars times rows of residues of one prime, 64 bits each: the linear layers of network.h alone, on one thread.
#pragma once

#include <seal/seal.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "rust/cxx.h"

namespace henge::versus {

class Matrix {
public:
    Matrix(
        std::uint32_t log_n, std::uint64_t prime, std::size_t inputs, std::size_t outputs, std::size_t components,
        rust::Slice<const std::int64_t> weights);

    // Row `input * components + component`.
    void set_row(std::size_t row, rust::Slice<const std::uint64_t> words);
    // By the blocked AVX2 sums, or by SEAL's kernels one scalar at a time.
    void run(bool hand_tuned);
    rust::Vec<std::uint64_t> result(std::size_t row) const;

private:
    using Rows = std::vector<std::vector<std::uint64_t>>;

    seal::Modulus prime_;
    std::size_t degree_, inputs_, outputs_, components_;
    std::vector<std::uint64_t> weights_;
    Rows rows_, results_;
};

std::unique_ptr<Matrix> make_matrix(
    std::uint32_t log_n, std::uint64_t prime, std::size_t inputs, std::size_t outputs, std::size_t components,
    rust::Slice<const std::int64_t> weights);

} // namespace henge::versus
