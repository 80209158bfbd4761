// Keys: made by SEAL, or put together from residues.
#pragma once

#include "bindings/seal/bridge/cpp/objects.h"

namespace henge::bridge {

using Elements = rust::Slice<const std::uint32_t>;

std::unique_ptr<seal::KeyGenerator> make_key_generator(const seal::SEALContext &context);
std::unique_ptr<seal::KeyGenerator> make_key_generator_of(
    const seal::SEALContext &context, const seal::SecretKey &secret);
std::unique_ptr<seal::SecretKey> secret_key(const seal::KeyGenerator &generator);
std::unique_ptr<seal::PublicKey> public_key(seal::KeyGenerator &generator);
std::unique_ptr<seal::RelinKeys> relin_keys(seal::KeyGenerator &generator);
std::unique_ptr<seal::GaloisKeys> galois_keys(seal::KeyGenerator &generator, Elements elements);
// SEAL's own choice: rotations by powers of two, and conjugation.
std::unique_ptr<seal::GaloisKeys> default_galois_keys(seal::KeyGenerator &generator);

// The same with seeds in the place of uniform polynomials, which SEAL can write but not use.
ByteVector save_seeded_public_key(seal::KeyGenerator &generator, std::uint8_t mode);
ByteVector save_seeded_relin_keys(seal::KeyGenerator &generator, std::uint8_t mode);
ByteVector save_seeded_galois_keys(seal::KeyGenerator &generator, Elements elements, std::uint8_t mode);

// From residues over all primes in evaluation form: [prime][N], and [component][prime][N].
std::unique_ptr<seal::SecretKey> secret_key_from_words(const seal::SEALContext &context, Words words);
std::unique_ptr<seal::PublicKey> public_key_from_words(const seal::SEALContext &context, Words words);
// [digit][component][prime][N], the key from s^2 to s.
std::unique_ptr<seal::RelinKeys> relin_keys_from_words(const seal::SEALContext &context, Words words);
// No keys yet; then one more, [digit][component][prime][N].
std::unique_ptr<seal::GaloisKeys> empty_galois_keys(const seal::SEALContext &context);
void insert_galois_key(
    const seal::SEALContext &context, seal::GaloisKeys &keys, std::uint32_t element, Words words);

// Key `index` as residues [digit][component][prime][N]; nothing when there is no such key. Index 0 of relinearization
// keys; (g - 1) / 2 for Galois element g.
rust::Vec<std::uint64_t> relin_key_words(const seal::RelinKeys &keys, std::size_t index);
rust::Vec<std::uint64_t> galois_key_words(const seal::GaloisKeys &keys, std::size_t index);
// The Galois elements that there are keys for.
rust::Vec<std::uint32_t> galois_elements(const seal::GaloisKeys &keys);
std::size_t relin_key_count(const seal::RelinKeys &keys) noexcept;

} // namespace henge::bridge
