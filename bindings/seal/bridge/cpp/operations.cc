#include "bindings/seal/bridge/cpp/operations.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "bindings/seal/bridge/cpp/context.h"

namespace henge::bridge {

using std::size_t;

std::unique_ptr<seal::CKKSEncoder> make_encoder(const seal::SEALContext &context) {
    return std::make_unique<seal::CKKSEncoder>(context);
}

std::unique_ptr<seal::Encryptor> make_public_encryptor(const seal::SEALContext &context, const seal::PublicKey &key) {
    return std::make_unique<seal::Encryptor>(context, key);
}

std::unique_ptr<seal::Encryptor> make_symmetric_encryptor(
    const seal::SEALContext &context, const seal::SecretKey &key) {
    return std::make_unique<seal::Encryptor>(context, key);
}

std::unique_ptr<seal::Decryptor> make_decryptor(const seal::SEALContext &context, const seal::SecretKey &key) {
    return std::make_unique<seal::Decryptor>(context, key);
}

std::unique_ptr<seal::Evaluator> make_evaluator(const seal::SEALContext &context) {
    return std::make_unique<seal::Evaluator>(context);
}

// SEAL turns logarithms of what it is given into integers, which is undefined where they are not finite.
static void check_finite(double largest, double scale, size_t n) {
    if (!std::isfinite(largest * scale * static_cast<double>(n)) || !std::isfinite(scale) || scale <= 0) {
        throw std::invalid_argument("values or a scale that are not finite, or a scale that is not positive");
    }
}

static double largest(rust::Slice<const double> values) {
    double result = 0;
    for (double value : values) {
        // Not std::max, which passes NaN over.
        if (!(std::abs(value) <= result)) {
            result = std::abs(value);
        }
    }
    return result;
}

std::unique_ptr<seal::Plaintext> encode_real(
    const seal::CKKSEncoder &encoder, const seal::SEALContext &context, rust::Slice<const double> values, double scale,
    size_t primes) {
    check_finite(largest(values), scale, degree(context));
    auto plain = fresh<seal::Plaintext>();
    encoder.encode(
        std::vector<double>(values.begin(), values.end()), level(context, primes).parms_id(), scale, *plain, scratch());
    return plain;
}

std::unique_ptr<seal::Plaintext> encode_complex(
    const seal::CKKSEncoder &encoder, const seal::SEALContext &context, rust::Slice<const double> parts, double scale,
    size_t primes) {
    check_finite(largest(parts), scale, degree(context));
    if (parts.size() % 2 != 0) {
        throw std::invalid_argument("a real part without its imaginary part");
    }
    std::vector<std::complex<double>> values;
    for (size_t i = 0; i < parts.size(); i += 2) {
        values.emplace_back(parts[i], parts[i + 1]);
    }
    auto plain = fresh<seal::Plaintext>();
    encoder.encode(values, level(context, primes).parms_id(), scale, *plain, scratch());
    return plain;
}

std::unique_ptr<seal::Plaintext> encode_scalar(
    const seal::CKKSEncoder &encoder, const seal::SEALContext &context, double value, double scale, size_t primes) {
    check_finite(value, scale, degree(context));
    auto id = level(context, primes).parms_id();
    auto plain = fresh<seal::Plaintext>();
    // A first encoding of 1 checks the scale; nothing has the logarithm of 0.
    encoder.encode(value * scale == 0 ? 1.0 : value, id, scale, *plain, scratch());
    if (value * scale == 0) {
        plain->set_zero();
    }
    return plain;
}

void decode_real(const seal::CKKSEncoder &encoder, const seal::Plaintext &plain, rust::Slice<double> values) {
    std::vector<double> slots;
    encoder.decode(plain, slots, scratch());
    if (values.size() > slots.size()) {
        throw std::invalid_argument(std::to_string(values.size()) + " slots asked for");
    }
    std::copy_n(slots.begin(), values.size(), values.begin());
}

void decode_complex(const seal::CKKSEncoder &encoder, const seal::Plaintext &plain, rust::Slice<double> parts) {
    std::vector<std::complex<double>> slots;
    encoder.decode(plain, slots, scratch());
    if (parts.size() > 2 * slots.size() || parts.size() % 2 != 0) {
        throw std::invalid_argument(std::to_string(parts.size()) + " parts of slots asked for");
    }
    for (size_t i = 0; i < parts.size(); i++) {
        parts[i] = i % 2 == 0 ? slots[i / 2].real() : slots[i / 2].imag();
    }
}

std::unique_ptr<seal::Ciphertext> encrypt(const seal::Encryptor &encryptor, const seal::Plaintext &plain) {
    auto result = fresh<seal::Ciphertext>();
    encryptor.encrypt(plain, *result, scratch());
    return result;
}

std::unique_ptr<seal::Ciphertext> encrypt_symmetric(const seal::Encryptor &encryptor, const seal::Plaintext &plain) {
    auto result = fresh<seal::Ciphertext>();
    encryptor.encrypt_symmetric(plain, *result, scratch());
    return result;
}

ByteVector save_seeded_ciphertext(const seal::Encryptor &encryptor, const seal::Plaintext &plain, std::uint8_t mode) {
    return save(encryptor.encrypt_symmetric(plain, scratch()), mode);
}

std::unique_ptr<seal::Plaintext> decrypt(const seal::Decryptor &decryptor, const seal::Ciphertext &x) {
    auto plain = fresh<seal::Plaintext>();
    // Documented as shared by threads; its powers of the secret key grow behind a lock. No decryptor of ours is const.
    const_cast<seal::Decryptor &>(decryptor).decrypt(x, *plain);
    return plain;
}

void negate(const seal::Evaluator &evaluator, seal::Ciphertext &x) { evaluator.negate_inplace(x); }

void add(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Ciphertext &y) {
    evaluator.add_inplace(x, y);
}

void sub(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Ciphertext &y) {
    evaluator.sub_inplace(x, y);
}

void add_plain(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Plaintext &y) {
    evaluator.add_plain_inplace(x, y, scratch());
}

void sub_plain(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Plaintext &y) {
    evaluator.sub_plain_inplace(x, y, scratch());
}

static void check_product(double left, double right) {
    if (!std::isfinite(left * right)) {
        throw std::invalid_argument("scale out of bounds");
    }
}

void mul_plain(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::Plaintext &y) {
    check_product(x.scale(), y.scale());
    evaluator.multiply_plain_inplace(x, y, scratch());
}

// A copy with room for a product, so that none is left behind when it grows.
static std::unique_ptr<seal::Ciphertext> with_room(
    const seal::SEALContext &context, const seal::Ciphertext &x, size_t components) {
    auto result = fresh<seal::Ciphertext>();
    result->reserve(context, x.parms_id(), std::max<size_t>(components, 2));
    *result = x;
    return result;
}

std::unique_ptr<seal::Ciphertext> mul(
    const seal::Evaluator &evaluator, const seal::SEALContext &context, const seal::Ciphertext &x,
    const seal::Ciphertext &y) {
    check_product(x.scale(), y.scale());
    auto result = with_room(context, x, x.size() + y.size() - 1);
    evaluator.multiply_inplace(*result, y, scratch());
    return result;
}

std::unique_ptr<seal::Ciphertext> square(
    const seal::Evaluator &evaluator, const seal::SEALContext &context, const seal::Ciphertext &x) {
    check_product(x.scale(), x.scale());
    auto result = with_room(context, x, 2 * x.size() - 1);
    evaluator.square_inplace(*result, scratch());
    return result;
}

void relinearize(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::RelinKeys &keys) {
    evaluator.relinearize_inplace(x, keys, scratch());
}

std::unique_ptr<seal::Ciphertext> rescale(const seal::Evaluator &evaluator, const seal::Ciphertext &x) {
    auto result = fresh<seal::Ciphertext>();
    evaluator.rescale_to_next(x, *result, scratch());
    return result;
}

std::unique_ptr<seal::Ciphertext> drop_level(
    const seal::Evaluator &evaluator, const seal::SEALContext &context, const seal::Ciphertext &x, size_t primes) {
    auto lowered = copy(x);
    evaluator.mod_switch_to_inplace(*lowered, level(context, primes).parms_id(), scratch());
    // SEAL keeps the room of the primes that went.
    return copy(*lowered);
}

void drop_plain_level(
    const seal::Evaluator &evaluator, const seal::SEALContext &context, seal::Plaintext &x, size_t primes) {
    evaluator.mod_switch_to_inplace(x, level(context, primes).parms_id());
}

void rotate(const seal::Evaluator &evaluator, seal::Ciphertext &x, std::int32_t steps, const seal::GaloisKeys &keys) {
    evaluator.rotate_vector_inplace(x, steps, keys, scratch());
}

void conjugate(const seal::Evaluator &evaluator, seal::Ciphertext &x, const seal::GaloisKeys &keys) {
    evaluator.complex_conjugate_inplace(x, keys, scratch());
}

void apply_galois(
    const seal::Evaluator &evaluator, seal::Ciphertext &x, std::uint32_t element, const seal::GaloisKeys &keys) {
    evaluator.apply_galois_inplace(x, element, keys, scratch());
}

} // namespace henge::bridge
