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
#include <stdexcept>
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

// The length of bytes and the digest of them, filled up with zeros to whole words.
static void digest_of(std::ostream &out, std::string bytes) {
    std::size_t size = bytes.size();
    bytes.resize((size + 7) / 8 * 8);
    util::HashFunction::hash_block_type digest;
    util::HashFunction::hash(reinterpret_cast<const std::uint64_t *>(bytes.data()), bytes.size() / 8, digest);
    out << size << std::hex << std::setfill('0');
    for (auto word : digest) {
        out << ' ' << std::setw(16) << word;
    }
    out << std::dec << '\n';
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
        out << "large " << degree;
        for (auto &prime : context.key_context_data()->parms().coeff_modulus()) {
            out << ' ' << prime.value();
        }
        out << " : " << int(mode) << ' ';
        digest_of(out, saved(cipher, mode));
    }
}

// Rewrites uncompressed objects of SEAL 4.1 in the layout of an earlier version. What was other: up to 3.7 a ciphertext had no correction factor, up to
// 3.5 a seed no object around it, in 3.4 the header another form.
class Restamp {
public:
    explicit Restamp(int minor) : minor_(minor) {}

    std::string parameters(const std::string &bytes) { return whole(bytes, &Restamp::parameters_fields); }
    std::string plaintext(const std::string &bytes) { return whole(bytes, &Restamp::plaintext_fields); }
    std::string ciphertext(const std::string &bytes) { return whole(bytes, &Restamp::ciphertext_fields); }
    std::string keys(const std::string &bytes) { return whole(bytes, &Restamp::keys_fields); }

private:
    using Fields = std::string (Restamp::*)(std::size_t end);

    std::string whole(const std::string &bytes, Fields fields) {
        bytes_ = bytes;
        at_ = 0;
        return object(fields);
    }

    std::string take(std::size_t count) {
        std::string taken = bytes_.substr(at_, count);
        at_ += count;
        return taken;
    }

    static std::uint64_t word(const std::string &bytes, std::size_t at) {
        std::uint64_t word;
        std::memcpy(&word, &bytes.at(at), sizeof(word));
        return word;
    }

    std::string object(Fields fields) {
        std::size_t start = at_;
        std::size_t end = start + word(take(16), 8);
        std::string body = (this->*fields)(end);
        std::uint64_t size = 16 + body.size();
        std::string header(16, '\0');
        header[0] = '\x5e';
        header[1] = '\xa1';
        if (minor_ == 4) {
            // Magic, zero, compression, u32 size, u64 zero.
            std::memcpy(&header[4], &size, 4);
        } else {
            header[2] = 16;
            header[3] = 3;
            header[4] = static_cast<char>(minor_);
            std::memcpy(&header[8], &size, 8);
        }
        return header + body;
    }

    std::string rest(std::size_t end) { return take(end - at_); }

    std::string parameters_fields(std::size_t) {
        std::string front = take(1 + 8 + 8);
        std::string moduli;
        for (std::uint64_t i = 0; i <= word(front, 9); i++) {
            moduli += object(&Restamp::rest);
        }
        return front + moduli;
    }

    std::string plaintext_fields(std::size_t) {
        std::string front = take(32 + 8 + 8);
        return front + object(&Restamp::rest);
    }

    std::string ciphertext_fields(std::size_t end) {
        std::string front = take(32 + 1 + 8 + 8 + 8 + 8);
        take(8);
        std::string fields = front + object(&Restamp::rest);
        if (at_ < end) {
            std::string seed = object(&Restamp::rest);
            fields += minor_ < 6 ? seed.substr(16 + 1) : seed;
        }
        return fields;
    }

    std::string keys_fields(std::size_t) {
        std::string fields = take(32 + 8);
        for (std::uint64_t i = word(fields, 32); i > 0; i--) {
            std::string count = take(8);
            fields += count;
            for (std::uint64_t j = word(count, 0); j > 0; j--) {
                fields += object(&Restamp::ciphertext_fields);
            }
        }
        return fields;
    }

    int minor_;
    std::string bytes_;
    std::size_t at_ = 0;
};

// What SEAL makes of a file, whole.
template <class Object>
static std::string loaded(const SEALContext &context, const std::string &bytes) {
    Object object;
    std::stringstream stream(bytes);
    object.load(context, stream);
    return saved(object, compr_mode_type::none);
}

// A seeded ciphertext in another form, and SEAL's expansion.
static void variant(const SEALContext &context, const std::string &name, const std::string &bytes) {
    write(name, bytes);
    write(name + ".expanded", loaded<Ciphertext>(context, bytes));
}

// An object as 3.4 to 3.7 would have written it. SEAL has to load each; what it makes of a seed goes among the answers.
template <class Object>
static void versions(std::ostream &out, const SEALContext &context, const std::string &name, const std::string &bytes,
                     std::string (Restamp::*restamp)(const std::string &)) {
    for (int minor = 4; minor <= 7; minor++) {
        std::string old = (Restamp(minor).*restamp)(bytes);
        std::string whole = loaded<Object>(context, old);
        std::string version = name + ".v3_" + std::to_string(minor);
        write(version, old);
        if (name.find("seeded") == std::string::npos) {
            if (whole != bytes) {
                throw std::logic_error(version + " is another object");
            }
        } else {
            out << "expanded " << minor << " : " << name << ' ';
            digest_of(out, whole);
        }
    }
}

template <class Object>
static std::string plainly(const Object &object) {
    return saved(object, compr_mode_type::none);
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
    auto public_key_seeded = keygen.create_public_key();
    write_all("public_key_seeded", public_key_seeded);
    RelinKeys relin_keys;
    keygen.create_relin_keys(relin_keys);
    write_all("relin_keys", relin_keys);
    auto relin_keys_seeded = keygen.create_relin_keys();
    write_all("relin_keys_seeded", relin_keys_seeded);
    GaloisKeys galois_keys;
    keygen.create_galois_keys(std::vector<std::uint32_t>{ 3, 127 }, galois_keys);
    write_all("galois_keys", galois_keys);
    auto galois_keys_seeded = keygen.create_galois_keys(std::vector<std::uint32_t>{ 3, 127 });
    write_all("galois_keys_seeded", galois_keys_seeded);

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
    std::string bytes = plainly(seeded);
    variant(context, "ciphertext_seeded.blake2xb", bytes);
    // The seed is the last thing in the file, behind the name of its generator.
    std::string shake = bytes;
    shake[shake.size() - 65] = static_cast<char>(prng_type::shake256);
    variant(context, "ciphertext_seeded.shake256", shake);
    for (int minor : { 4, 5, 7 }) {
        variant(context, "ciphertext_seeded.v3_" + std::to_string(minor), Restamp(minor).ciphertext(bytes));
    }

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

    std::string parms = plainly(context.key_context_data()->parms());
    for (int minor = 4; minor <= 7; minor++) {
        std::string old = Restamp(minor).parameters(parms);
        EncryptionParameters back;
        std::stringstream stream(old);
        back.load(stream);
        if (back != context.key_context_data()->parms()) {
            throw std::logic_error("other parameters");
        }
        write("parameters.v3_" + std::to_string(minor), old);
    }
    auto keys = &Restamp::keys;
    versions<Plaintext>(answers, context, "plaintext", plainly(plain), &Restamp::plaintext);
    versions<SecretKey>(answers, context, "secret_key", plainly(keygen.secret_key()), &Restamp::plaintext);
    versions<PublicKey>(answers, context, "public_key", plainly(public_key), &Restamp::ciphertext);
    versions<PublicKey>(answers, context, "public_key_seeded", plainly(public_key_seeded), &Restamp::ciphertext);
    versions<RelinKeys>(answers, context, "relin_keys", plainly(relin_keys), keys);
    versions<RelinKeys>(answers, context, "relin_keys_seeded", plainly(relin_keys_seeded), keys);
    versions<GaloisKeys>(answers, context, "galois_keys", plainly(galois_keys), keys);
    versions<GaloisKeys>(answers, context, "galois_keys_seeded", plainly(galois_keys_seeded), keys);
    return answers ? 0 : 1;
}
