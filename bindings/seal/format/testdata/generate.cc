// Writes the known answers of this folder with Microsoft SEAL: small files of every kind, and what SEAL says of larger ones.
//
//   bazel run //bindings/seal/format:generate -- FOLDER
//
// Everything comes from fixed seeds, so the same bytes come out each time.
#include <seal/seal.h>
#include <seal/util/rlwe.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

using namespace seal;

static std::string folder;

static const prng_seed_type SEED{ 1, 2, 3, 4, 5, 6, 7, 8 };

static void write(const std::string &name, const std::string &bytes) {
    std::ofstream file(folder + "/" + name + ".seal", std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

template <class Object>
static std::string saved(const Object &object, compr_mode_type mode) {
    std::stringstream stream;
    object.save(stream, mode);
    return stream.str();
}

template <class Object>
static void write_all(const std::string &name, const Object &object) {
    write(name + ".none", saved(object, compr_mode_type::none));
    write(name + ".zlib", saved(object, compr_mode_type::zlib));
    write(name + ".zstd", saved(object, compr_mode_type::zstd));
}

static SEALContext context_of(std::size_t degree, const std::vector<int> &bits) {
    EncryptionParameters parms(scheme_type::ckks);
    parms.set_poly_modulus_degree(degree);
    parms.set_coeff_modulus(CoeffModulus::Create(degree, bits));
    parms.set_random_generator(std::make_shared<Blake2xbPRNGFactory>(SEED));
    return SEALContext(parms, true, sec_level_type::none);
}

// SEAL's name of a level beside its parameters.
static void parms_ids(std::ostream &out, const SEALContext &context) {
    for (auto data = context.key_context_data(); data; data = data->next_context_data()) {
        out << "parms_id " << data->parms().poly_modulus_degree();
        for (auto &prime : data->parms().coeff_modulus()) {
            out << ' ' << prime.value();
        }
        out << " :" << std::hex << std::setfill('0');
        for (auto word : data->parms_id()) {
            out << ' ' << std::setw(16) << word;
        }
        out << std::dec << '\n';
    }
}

// Lengths and digests of a large ciphertext in each mode; its words are expanded from SEED, so anybody can make it.
static void large(std::ostream &out, std::size_t degree, const std::vector<int> &bits) {
    auto context = context_of(degree, bits);
    auto &parms = context.first_context_data()->parms();
    Ciphertext cipher;
    cipher.resize(context, 2);
    cipher.is_ntt_form() = true;
    cipher.scale() = 1099511627776.0;
    for (std::size_t i = 0; i < 2; i++) {
        prng_seed_type seed = SEED;
        seed[0] = i;
        util::sample_poly_uniform(std::make_shared<Blake2xbPRNG>(seed), parms, cipher.data(i));
    }
    for (auto mode : { compr_mode_type::none, compr_mode_type::zlib, compr_mode_type::zstd }) {
        std::string bytes = saved(cipher, mode);
        std::size_t size = bytes.size();
        bytes.resize((size + 7) / 8 * 8);
        util::HashFunction::hash_block_type digest;
        util::HashFunction::hash(reinterpret_cast<const std::uint64_t *>(bytes.data()), bytes.size() / 8, digest);
        out << "large " << degree;
        for (auto &prime : context.key_context_data()->parms().coeff_modulus()) {
            out << ' ' << prime.value();
        }
        out << " : " << int(mode) << ' ' << size << std::hex << std::setfill('0');
        for (auto word : digest) {
            out << ' ' << std::setw(16) << word;
        }
        out << std::dec << '\n';
    }
}

// A seeded ciphertext of SEAL 4.1 as an earlier version or another generator would have written it, and SEAL's expansion.
static void variant(const SEALContext &context, const std::string &name, std::string bytes, int major, int minor,
                    prng_type generator) {
    const std::size_t header = 16, factor = header + 32 + 1 + 8 + 8 + 8 + 8, info = 16 + 1 + 64;
    auto stamp = [&](std::size_t at) {
        bytes[at + 3] = static_cast<char>(major);
        bytes[at + 4] = static_cast<char>(minor);
    };
    stamp(0);
    stamp(factor + 8);
    stamp(bytes.size() - info);
    bytes[bytes.size() - 65] = static_cast<char>(generator);
    if (major == 3 && minor < 6) {
        bytes.erase(bytes.size() - info, 17);
    }
    if (major == 3) {
        bytes.erase(factor, 8);
    }
    std::uint64_t size = bytes.size();
    std::memcpy(&bytes[8], &size, 8);
    if (major == 3 && minor == 4) {
        // SEAL 3.4 had another header: magic, zero, compression, u32 size, u64 zero.
        for (std::size_t at : { std::size_t(0), factor }) {
            std::uint64_t whole;
            std::memcpy(&whole, &bytes[at + 8], 8);
            std::uint32_t half = static_cast<std::uint32_t>(whole);
            std::memset(&bytes[at + 2], 0, 14);
            std::memcpy(&bytes[at + 4], &half, 4);
        }
    }
    Ciphertext cipher;
    std::stringstream stream(bytes);
    cipher.load(context, stream);
    write(name, bytes);
    write(name + ".expanded", saved(cipher, compr_mode_type::none));
}

int main(int argc, char **argv) {
    if (argc != 2) {
        std::cerr << "usage: generate FOLDER\n";
        return 2;
    }
    folder = argv[1];

    auto context = context_of(64, { 60, 30, 41 });
    write_all("parameters", context.key_context_data()->parms());
    KeyGenerator keygen(context);
    write_all("secret_key", keygen.secret_key());
    PublicKey public_key;
    keygen.create_public_key(public_key);
    write_all("public_key", public_key);
    write_all("public_key_seeded", keygen.create_public_key());
    RelinKeys relin_keys;
    keygen.create_relin_keys(relin_keys);
    write_all("relin_keys", relin_keys);
    write_all("relin_keys_seeded", keygen.create_relin_keys());
    GaloisKeys galois_keys;
    keygen.create_galois_keys(std::vector<std::uint32_t>{ 3, 127 }, galois_keys);
    write_all("galois_keys", galois_keys);
    write_all("galois_keys_seeded", keygen.create_galois_keys(std::vector<std::uint32_t>{ 3, 127 }));

    CKKSEncoder encoder(context);
    Plaintext plain;
    encoder.encode(std::vector<double>{ 0.5, -3.0, 2.25 }, 1073741824.0, plain);
    write_all("plaintext", plain);
    Encryptor encryptor(context, public_key, keygen.secret_key());
    Ciphertext cipher;
    encryptor.encrypt(plain, cipher);
    write_all("ciphertext", cipher);
    Evaluator evaluator(context);
    Ciphertext square;
    evaluator.square(cipher, square);
    write_all("ciphertext_of_three", square);
    evaluator.relinearize_inplace(square, relin_keys);
    evaluator.rescale_to_next_inplace(square);
    write_all("ciphertext_below", square);
    auto seeded = encryptor.encrypt_symmetric(plain);
    write_all("ciphertext_seeded", seeded);
    std::string bytes = saved(seeded, compr_mode_type::none);
    variant(context, "ciphertext_seeded.blake2xb", bytes, 4, 1, prng_type::blake2xb);
    variant(context, "ciphertext_seeded.shake256", bytes, 4, 1, prng_type::shake256);
    variant(context, "ciphertext_seeded.v3_7", bytes, 3, 7, prng_type::blake2xb);
    variant(context, "ciphertext_seeded.v3_5", bytes, 3, 5, prng_type::blake2xb);
    variant(context, "ciphertext_seeded.v3_4", bytes, 3, 4, prng_type::blake2xb);

    std::ofstream answers(folder + "/answers.txt");
    answers << "# SEAL " << SEAL_VERSION << ": names of levels; lengths and digests of a large ciphertext in each mode.\n";
    for (auto &set : std::vector<std::pair<std::size_t, std::vector<int>>>{
             { 64, { 60, 30, 41 } },
             { 4096, { 36, 36, 37 } },
             { 8192, { 30, 30, 30, 30, 30, 30, 30 } },
             { 8192, { 60, 40, 40, 60 } },
             { 16384, { 60, 40, 40, 40, 40, 40, 40, 60 } },
             { 1024, { 27 } },
         }) {
        parms_ids(answers, context_of(set.first, set.second));
    }
    large(answers, 4096, { 36, 36, 37 });
    large(answers, 8192, { 30, 30, 30, 30, 30, 30, 30 });
    large(answers, 16384, { 60, 40, 40, 40, 40, 40, 40, 60 });
    large(answers, 4096, { 50, 17, 20, 20, 20, 50 });
    return answers ? 0 : 1;
}
