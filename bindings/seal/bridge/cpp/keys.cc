#include "bindings/seal/bridge/cpp/keys.h"

#include <algorithm>
#include <iterator>

#include "bindings/seal/bridge/cpp/context.h"

namespace henge::bridge {

using std::size_t;
using std::uint64_t;

static std::vector<std::uint32_t> listed(Elements elements) { return { elements.begin(), elements.end() }; }

std::unique_ptr<seal::KeyGenerator> make_key_generator(const seal::SEALContext &context) {
    return std::make_unique<seal::KeyGenerator>(context);
}

std::unique_ptr<seal::KeyGenerator> make_key_generator_of(
    const seal::SEALContext &context, const seal::SecretKey &secret) {
    return std::make_unique<seal::KeyGenerator>(context, secret);
}

std::unique_ptr<seal::SecretKey> secret_key(const seal::KeyGenerator &generator) {
    return copy(generator.secret_key());
}

std::unique_ptr<seal::PublicKey> public_key(seal::KeyGenerator &generator) {
    auto key = fresh<seal::PublicKey>();
    generator.create_public_key(*key);
    return key;
}

std::unique_ptr<seal::RelinKeys> relin_keys(seal::KeyGenerator &generator) {
    auto keys = fresh<seal::RelinKeys>();
    generator.create_relin_keys(*keys);
    return keys;
}

std::unique_ptr<seal::GaloisKeys> galois_keys(seal::KeyGenerator &generator, Elements elements) {
    auto keys = fresh<seal::GaloisKeys>();
    generator.create_galois_keys(listed(elements), *keys);
    return keys;
}

std::unique_ptr<seal::GaloisKeys> default_galois_keys(seal::KeyGenerator &generator) {
    auto keys = fresh<seal::GaloisKeys>();
    generator.create_galois_keys(*keys);
    return keys;
}

ByteVector save_seeded_public_key(seal::KeyGenerator &generator, std::uint8_t mode) {
    return save(generator.create_public_key(), mode);
}

ByteVector save_seeded_relin_keys(seal::KeyGenerator &generator, std::uint8_t mode) {
    return save(generator.create_relin_keys(), mode);
}

ByteVector save_seeded_galois_keys(seal::KeyGenerator &generator, Elements elements, std::uint8_t mode) {
    return save(generator.create_galois_keys(listed(elements)), mode);
}

std::unique_ptr<seal::SecretKey> secret_key_from_words(const seal::SEALContext &context, Words words) {
    auto &parms = context.key_context_data()->parms();
    auto key = fresh<seal::SecretKey>();
    auto &data = key->data();
    data.resize(parms.poly_modulus_degree() * parms.coeff_modulus().size());
    copy_words(words, data.data(), data.dyn_array().size());
    data.parms_id() = parms.parms_id();
    if (!seal::is_valid_for(*key, context)) {
        throw std::invalid_argument("residues of a secret key that are not below their primes");
    }
    return key;
}

std::unique_ptr<seal::PublicKey> public_key_from_words(const seal::SEALContext &context, Words words) {
    auto key = fresh<seal::PublicKey>();
    auto &data = key->data();
    data.resize(context, context.key_parms_id(), 2);
    copy_words(words, data.data(), data.dyn_array().size());
    data.is_ntt_form() = true;
    if (!seal::is_valid_for(*key, context)) {
        throw std::invalid_argument("residues of a public key that are not below their primes");
    }
    return key;
}

static std::vector<seal::PublicKey> digits_from_words(const seal::SEALContext &context, Words words) {
    if (!context.using_keyswitching()) {
        throw std::logic_error("keyswitching is not supported by the context");
    }
    auto &parms = context.key_context_data()->parms();
    size_t primes = parms.coeff_modulus().size(), digits = primes - 1;
    size_t digit = 2 * primes * parms.poly_modulus_degree();
    if (words.size() != digits * digit) {
        throw std::invalid_argument(
            std::to_string(words.size()) + " words of a key, expected " + std::to_string(digits * digit));
    }
    std::vector<seal::PublicKey> result;
    for (size_t i = 0; i < digits; i++) {
        result.push_back(*public_key_from_words(context, { words.data() + i * digit, digit }));
    }
    return result;
}

std::unique_ptr<seal::RelinKeys> relin_keys_from_words(const seal::SEALContext &context, Words words) {
    auto keys = fresh<seal::RelinKeys>();
    keys->parms_id() = context.key_parms_id();
    keys->data().push_back(digits_from_words(context, words));
    return keys;
}

std::unique_ptr<seal::GaloisKeys> empty_galois_keys(const seal::SEALContext &context) {
    auto keys = fresh<seal::GaloisKeys>();
    keys->parms_id() = context.key_parms_id();
    keys->data().resize(degree(context));
    return keys;
}

void insert_galois_key(
    const seal::SEALContext &context, seal::GaloisKeys &keys, std::uint32_t element, Words words) {
    if (element % 2 == 0 || element >= 2 * degree(context) || keys.parms_id() != context.key_parms_id()) {
        throw std::invalid_argument("Galois element " + std::to_string(element) + ", or keys of other parameters");
    }
    keys.data().at(seal::GaloisKeys::get_index(element)) = digits_from_words(context, words);
}

static rust::Vec<uint64_t> key_words(const seal::KSwitchKeys &keys, size_t index) {
    rust::Vec<uint64_t> all;
    if (index < keys.data().size()) {
        for (auto &digit : keys.data()[index]) {
            auto part = words(digit);
            std::copy(part.begin(), part.end(), std::back_inserter(all));
        }
    }
    return all;
}

rust::Vec<uint64_t> relin_key_words(const seal::RelinKeys &keys, size_t index) { return key_words(keys, index); }
rust::Vec<uint64_t> galois_key_words(const seal::GaloisKeys &keys, size_t index) { return key_words(keys, index); }

rust::Vec<std::uint32_t> galois_elements(const seal::GaloisKeys &keys) {
    rust::Vec<std::uint32_t> elements;
    for (size_t i = 0; i < keys.data().size(); i++) {
        if (!keys.data()[i].empty()) {
            elements.push_back(static_cast<std::uint32_t>(2 * i + 1));
        }
    }
    return elements;
}

size_t relin_key_count(const seal::RelinKeys &keys) noexcept { return keys.size(); }

} // namespace henge::bridge
