// Microsoft SEAL is linked with the version and the options that seal.bzl asks for, and works: a ciphertext goes out and
// comes back through each compressor, and decrypts to the square of what was encrypted.
#include <seal/seal.h>

#include <cmath>
#include <iostream>
#include <sstream>

static int failures = 0;

static void check(bool holds, const char *what) {
    if (!holds) {
        std::cerr << "FAILED: " << what << '\n';
        failures++;
    }
}

int main() {
    using namespace seal;
    check(std::string(SEAL_VERSION) == "4.1.2", "version 4.1.2");
#ifdef SEAL_USE_INTEL_HEXL
    check(false, "HEXL is off by default");
#endif
    EncryptionParameters parms(scheme_type::ckks);
    parms.set_poly_modulus_degree(4096);
    parms.set_coeff_modulus(CoeffModulus::Create(4096, { 36, 36, 37 }));
    SEALContext context(parms);
    check(context.parameters_set(), context.parameter_error_message());

    KeyGenerator keys(context);
    RelinKeys relin;
    keys.create_relin_keys(relin);
    Encryptor encryptor(context, keys.secret_key());
    CKKSEncoder encoder(context);
    Plaintext plain;
    encoder.encode(std::vector<double>{ 0.5, -3.0 }, std::pow(2.0, 30), plain);
    Ciphertext cipher;
    encryptor.encrypt_symmetric(plain, cipher);
    for (auto mode : { compr_mode_type::none, compr_mode_type::zlib, compr_mode_type::zstd }) {
        check(Serialization::IsSupportedComprMode(mode), "compressor");
        std::stringstream stream;
        cipher.save(stream, mode);
        Ciphertext back;
        back.load(context, stream);
        cipher = back;
    }
    Evaluator evaluator(context);
    evaluator.square_inplace(cipher);
    evaluator.relinearize_inplace(cipher, relin);
    Decryptor(context, keys.secret_key()).decrypt(cipher, plain);
    std::vector<double> slots;
    encoder.decode(plain, slots);
    check(std::abs(slots[0] - 0.25) < 1e-3 && std::abs(slots[1] - 9.0) < 1e-3, "square of what was encrypted");
    return failures != 0;
}
