// Encoder, encryptor, decryptor and evaluator. Results are new objects, or take the place of the first operand.
#pragma once

#include "bindings/seal/bridge/cpp/objects.h"

namespace henge::bridge {

std::unique_ptr<seal::CKKSEncoder> make_encoder(const seal::SEALContext &context);
std::unique_ptr<seal::Encryptor> make_public_encryptor(const seal::SEALContext &context, const seal::PublicKey &key);
std::unique_ptr<seal::Encryptor> make_symmetric_encryptor(const seal::SEALContext &context, const seal::SecretKey &key);
std::unique_ptr<seal::Decryptor> make_decryptor(const seal::SEALContext &context, const seal::SecretKey &key);
std::unique_ptr<seal::Evaluator> make_evaluator(const seal::SEALContext &context);

// Numbers to the level with so many primes; all values finite, as is their largest magnitude times the scale times N.
// Complex numbers lie as real part, imaginary part, real part, ...
std::unique_ptr<seal::Plaintext> encode_real(
    const seal::CKKSEncoder &encoder, const seal::SEALContext &context, rust::Slice<const double> values, double scale,
    std::size_t primes);
std::unique_ptr<seal::Plaintext> encode_complex(
    const seal::CKKSEncoder &encoder, const seal::SEALContext &context, rust::Slice<const double> parts, double scale,
    std::size_t primes);
// One number for every slot.
std::unique_ptr<seal::Plaintext> encode_scalar(
    const seal::CKKSEncoder &encoder, const seal::SEALContext &context, double value, double scale, std::size_t primes);
void decode_real(const seal::CKKSEncoder &encoder, const seal::Plaintext &plain, rust::Slice<double> values);
void decode_complex(const seal::CKKSEncoder &encoder, const seal::Plaintext &plain, rust::Slice<double> parts);

std::unique_ptr<seal::Ciphertext> encrypt(const seal::Encryptor &encryptor, const seal::Plaintext &plain);
std::unique_ptr<seal::Ciphertext> encrypt_symmetric(const seal::Encryptor &encryptor, const seal::Plaintext &plain);
// With a seed in the place of the second polynomial, which SEAL can write but not use.
ByteVector save_seeded_ciphertext(const seal::Encryptor &encryptor, const seal::Plaintext &plain, std::uint8_t mode);
std::unique_ptr<seal::Plaintext> decrypt(const seal::Decryptor &decryptor, const seal::Ciphertext &x);

void negate(const seal::Evaluator &evaluator, seal::Ciphertext &x);
void add(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Ciphertext &y);
void sub(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Ciphertext &y);
void add_plain(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Plaintext &y);
void sub_plain(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Plaintext &y);
void mul_plain(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Plaintext &y);
std::unique_ptr<seal::Ciphertext> mul(
    const seal::Evaluator &evaluator, const seal::SEALContext &context, const seal::Ciphertext &x,
    const seal::Ciphertext &y);
std::unique_ptr<seal::Ciphertext> square(
    const seal::Evaluator &evaluator, const seal::SEALContext &context, const seal::Ciphertext &x);
void relinearize(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::RelinKeys &keys);
std::unique_ptr<seal::Ciphertext> rescale(const seal::Evaluator &evaluator, const seal::Ciphertext &x);
std::unique_ptr<seal::Ciphertext> drop_level(
    const seal::Evaluator &evaluator, const seal::SEALContext &context, const seal::Ciphertext &x, std::size_t primes);
void drop_plain_level(
    const seal::Evaluator &evaluator, const seal::SEALContext &context, seal::Plaintext &x, std::size_t primes);
// Slot i of the result is slot i + steps. Takes the key of that rotation, or those of powers of two one after the other.
void rotate(const seal::Evaluator &evaluator, seal::Ciphertext &x, std::int32_t steps, const seal::GaloisKeys &keys);
void conjugate(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::GaloisKeys &keys);
void apply_galois(
    const seal::Evaluator &evaluator, seal::Ciphertext &x, std::uint32_t element, const seal::GaloisKeys &keys);

} // namespace henge::bridge
