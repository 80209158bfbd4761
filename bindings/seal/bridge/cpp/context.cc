#include "bindings/seal/bridge/cpp/context.h"

#include <seal/util/ntt.h>

#include <algorithm>
#include <iterator>

namespace henge::bridge {

using std::size_t;
using std::uint64_t;

static seal::sec_level_type security_level(std::uint32_t bits) {
    switch (bits) {
    case 0:
        return seal::sec_level_type::none;
    case 128:
        return seal::sec_level_type::tc128;
    case 192:
        return seal::sec_level_type::tc192;
    case 256:
        return seal::sec_level_type::tc256;
    default:
        throw std::invalid_argument("security of " + std::to_string(bits) + " bits");
    }
}

static std::unique_ptr<seal::SEALContext> ready(const seal::EncryptionParameters &parms, std::uint32_t security) {
    auto context = std::make_unique<seal::SEALContext>(parms, true, security_level(security));
    if (!context->parameters_set()) {
        throw std::invalid_argument(context->parameter_error_message());
    }
    return context;
}

std::unique_ptr<seal::SEALContext> make_context(size_t n, Words primes, std::uint32_t security, Words seed) {
    seal::EncryptionParameters parms(seal::scheme_type::ckks);
    parms.set_poly_modulus_degree(n);
    parms.set_coeff_modulus(std::vector<seal::Modulus>(primes.begin(), primes.end()));
    if (!seed.empty()) {
        seal::prng_seed_type words{};
        copy_words(seed, words.data(), words.size());
        parms.set_random_generator(std::make_shared<seal::Blake2xbPRNGFactory>(words));
    }
    return ready(parms, security);
}

std::unique_ptr<seal::SEALContext> load_context(Bytes bytes, std::uint32_t security) {
    seal::EncryptionParameters parms;
    parms.load(reinterpret_cast<const seal::seal_byte *>(bytes.data()), bytes.size());
    if (parms.scheme() != seal::scheme_type::ckks) {
        throw std::invalid_argument("parameters of another scheme than CKKS");
    }
    return ready(parms, security);
}

ByteVector save_parameters(const seal::SEALContext &context, std::uint8_t mode) {
    return save(context.key_context_data()->parms(), mode);
}

const seal::SEALContext::ContextData &level(const seal::SEALContext &context, size_t primes) {
    for (auto data = context.key_context_data(); data; data = data->next_context_data()) {
        if (data->parms().coeff_modulus().size() == primes) {
            return *data;
        }
    }
    throw std::invalid_argument("no level with " + std::to_string(primes) + " primes");
}

void copy_words(Words from, uint64_t *to, size_t expected) {
    if (from.size() != expected) {
        throw std::invalid_argument(std::to_string(from.size()) + " words, expected " + std::to_string(expected));
    }
    std::copy(from.begin(), from.end(), to);
}

size_t degree(const seal::SEALContext &context) noexcept {
    return context.key_context_data()->parms().poly_modulus_degree();
}

rust::Vec<uint64_t> primes(const seal::SEALContext &context) {
    rust::Vec<uint64_t> values;
    for (auto &prime : context.key_context_data()->parms().coeff_modulus()) {
        values.push_back(prime.value());
    }
    return values;
}

bool has_special_prime(const seal::SEALContext &context) noexcept { return context.using_keyswitching(); }

std::uint32_t granted_security(const seal::SEALContext &context) noexcept {
    return static_cast<std::uint32_t>(context.key_context_data()->qualifiers().sec_level);
}

std::array<uint64_t, 4> level_id(const seal::SEALContext &context, size_t primes) {
    return level(context, primes).parms_id();
}

size_t next_level(const seal::SEALContext &context, size_t primes) {
    auto next = level(context, primes).next_context_data();
    return next ? next->parms().coeff_modulus().size() : 0;
}

rust::Vec<uint64_t> roots(const seal::SEALContext &context) {
    auto data = context.key_context_data();
    rust::Vec<uint64_t> values;
    for (size_t i = 0; i < data->parms().coeff_modulus().size(); i++) {
        values.push_back(data->small_ntt_tables()[i].get_root());
    }
    return values;
}

static const seal::util::NTTTables &tables(const seal::SEALContext &context, size_t prime, Words words) {
    auto data = context.key_context_data();
    size_t count = data->parms().coeff_modulus().size(), n = data->parms().poly_modulus_degree();
    if (prime >= count || words.size() != n) {
        throw std::invalid_argument(
            std::to_string(words.size()) + " words for prime " + std::to_string(prime) + ", expected " +
            std::to_string(n) + " for one of " + std::to_string(count));
    }
    auto &modulus = data->parms().coeff_modulus()[prime];
    if (std::any_of(words.begin(), words.end(), [&](uint64_t word) { return word >= modulus.value(); })) {
        throw std::invalid_argument("residues that are not below their prime");
    }
    return data->small_ntt_tables()[prime];
}

void ntt_forward(const seal::SEALContext &context, size_t prime, rust::Slice<uint64_t> words) {
    auto &table = tables(context, prime, { words.data(), words.size() });
    seal::util::ntt_negacyclic_harvey(seal::util::CoeffIter(words.data()), table);
}

void ntt_inverse(const seal::SEALContext &context, size_t prime, rust::Slice<uint64_t> words) {
    auto &table = tables(context, prime, { words.data(), words.size() });
    seal::util::inverse_ntt_negacyclic_harvey(seal::util::CoeffIter(words.data()), table);
}

rust::Vec<uint64_t> pick_primes(size_t n, rust::Slice<const std::int32_t> bits) {
    rust::Vec<uint64_t> values;
    for (auto &prime : seal::CoeffModulus::Create(n, std::vector<int>(bits.begin(), bits.end()))) {
        values.push_back(prime.value());
    }
    return values;
}

std::uint32_t max_bit_count(size_t n, std::uint32_t security) {
    return static_cast<std::uint32_t>(seal::CoeffModulus::MaxBitCount(n, security_level(security)));
}

rust::String describe() {
    std::string text = "Microsoft SEAL " SEAL_VERSION ", ";
#if defined(__clang__)
    text += "clang " __clang_version__;
#else
    text += "gcc " __VERSION__;
#endif
#ifdef SEAL_USE_INTEL_HEXL
    text += ", with Intel HEXL";
#endif
    return text;
}

} // namespace henge::bridge
