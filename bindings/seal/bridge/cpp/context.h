// Parameters made ready, and what follows from them alone.
#pragma once

#include "bindings/seal/bridge/cpp/objects.h"

namespace henge::bridge {

// CKKS over these primes, the special one last. `security` is the least that SEAL has to grant: 0, 128, 192 or 256 bits.
// `seed` is empty, or eight words from which every generator of random numbers then starts.
std::unique_ptr<seal::SEALContext> make_context(std::size_t n, Words primes, std::uint32_t security, Words seed);

// The same from parameters that SEAL saved.
std::unique_ptr<seal::SEALContext> load_context(Bytes bytes, std::uint32_t security);
ByteVector save_parameters(const seal::SEALContext &context, std::uint8_t mode);

// The level with so many primes, the special one counted. Throws when there is none.
const seal::SEALContext::ContextData &level(const seal::SEALContext &context, std::size_t primes);

// Copies exactly as many words as are expected.
void copy_words(Words from, std::uint64_t *to, std::size_t expected);

std::size_t degree(const seal::SEALContext &context) noexcept;
rust::Vec<std::uint64_t> primes(const seal::SEALContext &context);
bool has_special_prime(const seal::SEALContext &context) noexcept;
std::uint32_t granted_security(const seal::SEALContext &context) noexcept;
std::array<std::uint64_t, 4> level_id(const seal::SEALContext &context, std::size_t primes);
// Number of primes at the level after this one, 0 after the last.
std::size_t next_level(const seal::SEALContext &context, std::size_t primes);

// The primitive 2N-th root of unity that SEAL's transform uses, one per prime.
rust::Vec<std::uint64_t> roots(const seal::SEALContext &context);
// One transform of N residues of one prime, in place.
void ntt_forward(const seal::SEALContext &context, std::size_t prime, rust::Slice<std::uint64_t> words);
void ntt_inverse(const seal::SEALContext &context, std::size_t prime, rust::Slice<std::uint64_t> words);

// What seal::CoeffModulus picks for bit sizes, and the most bits it allows.
rust::Vec<std::uint64_t> pick_primes(std::size_t n, rust::Slice<const std::int32_t> bits);
std::uint32_t max_bit_count(std::size_t n, std::uint32_t security);

// Version of the library, compiler and options.
rust::String describe();

} // namespace henge::bridge
