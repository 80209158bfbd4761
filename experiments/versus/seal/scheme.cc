#include "experiments/versus/seal/scheme.h"

#include <seal/util/ntt.h>

#include <time.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace henge::versus {

using std::size_t;
using std::uint64_t;

static seal::SEALContext make_context(std::uint32_t log_n, rust::Slice<const uint64_t> primes) {
    seal::EncryptionParameters parms(seal::scheme_type::ckks);
    parms.set_poly_modulus_degree(size_t(1) << log_n);
    parms.set_coeff_modulus(std::vector<seal::Modulus>(primes.begin(), primes.end()));
    seal::SEALContext context(parms);
    if (!context.parameters_set()) {
        throw std::invalid_argument(context.parameter_error_message());
    }
    return context;
}

// The context of a level by its number of primes.
static std::shared_ptr<const seal::SEALContext::ContextData> level(const seal::SEALContext &context, size_t primes) {
    for (auto data = context.key_context_data(); data; data = data->next_context_data()) {
        if (data->parms().coeff_modulus().size() == primes) {
            return data;
        }
    }
    throw std::invalid_argument("no level with " + std::to_string(primes) + " primes");
}

static void copy_words(rust::Slice<const uint64_t> from, uint64_t *to, size_t expected) {
    if (from.size() != expected) {
        throw std::invalid_argument(std::to_string(from.size()) + " words, expected " + std::to_string(expected));
    }
    std::copy(from.begin(), from.end(), to);
}

static void copy_key(rust::Slice<const uint64_t> rows, std::vector<seal::PublicKey> &digits) {
    size_t words = 0, at = 0;
    for (auto &digit : digits) {
        words += digit.data().dyn_array().size();
    }
    for (auto &digit : digits) {
        size_t count = digit.data().dyn_array().size();
        if (rows.size() != words) {
            throw std::invalid_argument(std::to_string(rows.size()) + " words of a key, expected " + std::to_string(words));
        }
        std::copy(rows.begin() + at, rows.begin() + at + count, digit.data().data());
        at += count;
    }
}

Scheme::Scheme(std::uint32_t log_n, rust::Slice<const uint64_t> primes)
    : context_(make_context(log_n, primes)), encoder_(context_), evaluator_(context_) {}

void Scheme::set_secret(rust::Slice<const uint64_t> rows) {
    secret_ = seal::KeyGenerator(context_).secret_key();
    copy_words(rows, secret_.data().data(), secret_.data().coeff_count());
    seal::PublicKey public_key;
    seal::KeyGenerator(context_, secret_).create_public_key(public_key);
    encryptor_ = std::make_unique<seal::Encryptor>(context_, public_key, secret_);
    decryptor_ = std::make_unique<seal::Decryptor>(context_, secret_);
}

void Scheme::set_relinearization_key(rust::Slice<const uint64_t> rows) {
    seal::KeyGenerator(context_, secret_).create_relin_keys(relinearization_);
    copy_key(rows, relinearization_.data().at(0));
}

void Scheme::set_rotation_key(rust::Slice<const uint64_t> rows) {
    seal::KeyGenerator(context_, secret_).create_galois_keys(std::vector<int>{ 1 }, rotation_);
    for (auto &digits : rotation_.data()) {
        if (!digits.empty()) {
            copy_key(rows, digits);
        }
    }
}

seal::Ciphertext Scheme::ciphertext(
    rust::Slice<const uint64_t> words, size_t components, size_t primes, double scale) const {
    seal::Ciphertext result;
    result.resize(context_, level(context_, primes)->parms_id(), components);
    copy_words(words, result.data(), result.dyn_array().size());
    result.is_ntt_form() = true;
    result.scale() = scale;
    return result;
}

void Scheme::set_left(rust::Slice<const uint64_t> words, size_t components, size_t primes, double scale) {
    left_ = ciphertext(words, components, primes, scale);
    work_ = left_;
}

void Scheme::set_right(rust::Slice<const uint64_t> words, size_t components, size_t primes, double scale) {
    right_ = ciphertext(words, components, primes, scale);
}

void Scheme::set_values(rust::Slice<const double> values) { values_.assign(values.begin(), values.end()); }

void Scheme::reset() { work_ = left_; }
void Scheme::add() { evaluator_.add_inplace(work_, right_); }
void Scheme::multiply() { evaluator_.multiply_inplace(work_, right_); }
void Scheme::square() { evaluator_.square_inplace(work_); }
void Scheme::multiply_plain() { evaluator_.multiply_plain_inplace(work_, plain_); }
void Scheme::relinearize() { evaluator_.relinearize_inplace(work_, relinearization_); }
void Scheme::rescale() { evaluator_.rescale_to_next_inplace(work_); }
void Scheme::rotate() { evaluator_.rotate_vector_inplace(work_, 1, rotation_); }
void Scheme::encode(double scale) { encoder_.encode(values_, scale, plain_); }
void Scheme::encrypt_symmetric() { encryptor_->encrypt_symmetric(plain_, work_); }
void Scheme::encrypt_public() { encryptor_->encrypt(plain_, work_); }
void Scheme::decrypt() { decryptor_->decrypt(work_, plain_); }
void Scheme::decode() { encoder_.decode(plain_, values_); }

rust::Vec<uint64_t> Scheme::work() const {
    rust::Vec<uint64_t> words;
    words.reserve(work_.dyn_array().size());
    std::copy(work_.dyn_array().begin(), work_.dyn_array().end(), std::back_inserter(words));
    return words;
}

rust::Vec<double> Scheme::values() const {
    rust::Vec<double> values;
    values.reserve(values_.size());
    std::copy(values_.begin(), values_.end(), std::back_inserter(values));
    return values;
}

const seal::util::NTTTables &Scheme::tables(size_t prime, size_t length) const {
    auto data = context_.key_context_data();
    if (prime >= data->parms().coeff_modulus().size() || length != data->parms().poly_modulus_degree()) {
        throw std::invalid_argument("no such prime, or not N words");
    }
    return data->small_ntt_tables()[prime];
}

void Scheme::ntt_forward(size_t prime, rust::Slice<uint64_t> words) const {
    seal::util::ntt_negacyclic_harvey(seal::util::CoeffIter(words.data()), tables(prime, words.size()));
}

void Scheme::ntt_inverse(size_t prime, rust::Slice<uint64_t> words) const {
    seal::util::inverse_ntt_negacyclic_harvey(seal::util::CoeffIter(words.data()), tables(prime, words.size()));
}

std::unique_ptr<Scheme> make_scheme(std::uint32_t log_n, rust::Slice<const uint64_t> primes) {
    return std::make_unique<Scheme>(log_n, primes);
}

rust::String describe() {
    std::string text = "Microsoft SEAL " SEAL_VERSION ", -O3 -DNDEBUG, ";
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

static double seconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

double thread_seconds() { return seconds(CLOCK_THREAD_CPUTIME_ID); }
double process_seconds() { return seconds(CLOCK_PROCESS_CPUTIME_ID); }

} // namespace henge::versus
