// Microsoft SEAL's operations one by one, on operands and keys that come from outside: so that another library can be
// timed on the same ones and its residues compared with SEAL's.
#pragma once

#include <seal/seal.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "rust/cxx.h"

namespace henge::versus {

// One set of CKKS parameters with keys. A ciphertext is a list of residues [component][prime][N] in evaluation form; a key
// for key switching is [digit][component][prime][N] over all primes, the special one last.
class Scheme {
public:
    Scheme(std::uint32_t log_n, rust::Slice<const std::uint64_t> primes);

    // Secret key over all primes, [prime][N], in evaluation form.
    void set_secret(rust::Slice<const std::uint64_t> rows);
    void set_relinearization_key(rust::Slice<const std::uint64_t> rows);
    // The key for a rotation by one slot.
    void set_rotation_key(rust::Slice<const std::uint64_t> rows);
    void set_left(rust::Slice<const std::uint64_t> words, std::size_t components, std::size_t primes, double scale);
    void set_right(rust::Slice<const std::uint64_t> words, std::size_t components, std::size_t primes, double scale);
    void set_values(rust::Slice<const double> values);

    // The work ciphertext becomes the left operand again.
    void reset();
    // On the work ciphertext.
    void add();
    void multiply();
    void square();
    void multiply_plain();
    void relinearize();
    void rescale();
    void rotate();
    // Values to the plaintext at the highest level; the plaintext to the work ciphertext.
    void encode(double scale);
    void encrypt_symmetric();
    void encrypt_public();
    // The work ciphertext to the plaintext; the plaintext to values.
    void decrypt();
    void decode();

    rust::Vec<std::uint64_t> work() const;
    rust::Vec<double> values() const;

    // One transform of N residues of one prime, in place.
    void ntt_forward(std::size_t prime, rust::Slice<std::uint64_t> words) const;
    void ntt_inverse(std::size_t prime, rust::Slice<std::uint64_t> words) const;

private:
    seal::Ciphertext ciphertext(
        rust::Slice<const std::uint64_t> words, std::size_t components, std::size_t primes, double scale) const;
    const seal::util::NTTTables &tables(std::size_t prime, std::size_t length) const;

    seal::SEALContext context_;
    seal::CKKSEncoder encoder_;
    seal::Evaluator evaluator_;
    seal::SecretKey secret_;
    seal::RelinKeys relinearization_;
    seal::GaloisKeys rotation_;
    std::unique_ptr<seal::Encryptor> encryptor_;
    std::unique_ptr<seal::Decryptor> decryptor_;
    seal::Ciphertext left_, right_, work_;
    seal::Plaintext plain_;
    std::vector<double> values_;
};

// Throws what SEAL has against the parameters.
std::unique_ptr<Scheme> make_scheme(std::uint32_t log_n, rust::Slice<const std::uint64_t> primes);

// Version of the library, compiler and options.
rust::String describe();

// Seconds of processor time of the calling thread, and of all threads of the process.
double thread_seconds();
double process_seconds();

} // namespace henge::versus
