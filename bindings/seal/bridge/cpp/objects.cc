#include "bindings/seal/bridge/cpp/objects.h"

#include <cmath>
#include <cstring>

#include "bindings/seal/bridge/cpp/context.h"

namespace henge::bridge {

using std::size_t;
using std::uint64_t;

static void check_scale(double scale) {
    if (!std::isfinite(scale) || scale <= 0) {
        throw std::invalid_argument("the scale is " + std::to_string(scale));
    }
}

void check(const seal::SEALContext &, const seal::Ciphertext &x) {
    check_scale(x.scale());
    if (!x.is_ntt_form() || x.size() < 2) {
        throw std::invalid_argument("a ciphertext that is empty or not in NTT form");
    }
}

void check(const seal::SEALContext &, const seal::Plaintext &x) {
    check_scale(x.scale());
    if (!x.is_ntt_form()) {
        throw std::invalid_argument("a plaintext that is not in NTT form");
    }
}

// SEAL counts keys, then takes the first ones: a hole among them would be read.
void check(const seal::SEALContext &, const seal::RelinKeys &x) {
    for (auto &key : x.data()) {
        if (key.empty()) {
            throw std::invalid_argument("relinearization keys with a hole among them");
        }
    }
}

seal::compr_mode_type compression(std::uint8_t mode) {
    auto result = static_cast<seal::compr_mode_type>(mode);
    if (!seal::Serialization::IsSupportedComprMode(result)) {
        throw std::invalid_argument("compression " + std::to_string(mode) + " is not built in");
    }
    return result;
}

size_t prime_count(const seal::SEALContext &context, const seal::Plaintext &x) {
    auto data = context.get_context_data(x.parms_id());
    if (!data) {
        throw std::invalid_argument("a plaintext of other parameters");
    }
    return data->parms().coeff_modulus().size();
}

std::unique_ptr<seal::Ciphertext> zero_ciphertext(
    const seal::SEALContext &context, size_t components, size_t primes, double scale) {
    check_scale(scale);
    auto result = fresh<seal::Ciphertext>();
    result->resize(context, level(context, primes).parms_id(), components);
    std::memset(result->data(), 0, result->dyn_array().size() * sizeof(uint64_t));
    result->is_ntt_form() = true;
    result->scale() = scale;
    return result;
}

std::unique_ptr<seal::Ciphertext> ciphertext_from_words(
    const seal::SEALContext &context, Words words, size_t components, size_t primes, double scale) {
    check_scale(scale);
    auto result = fresh<seal::Ciphertext>();
    result->resize(context, level(context, primes).parms_id(), components);
    copy_words(words, result->data(), result->dyn_array().size());
    result->is_ntt_form() = true;
    result->scale() = scale;
    if (!seal::is_valid_for(*result, context)) {
        throw std::invalid_argument("residues of a ciphertext that are not below their primes, or a level without data");
    }
    check(context, *result);
    return result;
}

std::unique_ptr<seal::Plaintext> plaintext_from_words(
    const seal::SEALContext &context, Words words, size_t primes, double scale) {
    check_scale(scale);
    auto &data = level(context, primes);
    auto result = fresh<seal::Plaintext>();
    result->resize(data.parms().poly_modulus_degree() * data.parms().coeff_modulus().size());
    copy_words(words, result->data(), result->dyn_array().size());
    result->parms_id() = data.parms_id();
    result->scale() = scale;
    if (!seal::is_valid_for(*result, context)) {
        throw std::invalid_argument("residues of a plaintext that are not below their primes, or a level without data");
    }
    return result;
}

} // namespace henge::bridge
