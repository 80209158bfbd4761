// CryptoNets over Microsoft SEAL, packed as HE-Transformer packs it: one image per slot, one ciphertext per pixel, weights
// as scalars. Linear layers in three ways, everything else by SEAL:
//
//   documented   encode a scalar, multiply_plain, add_inplace: SEAL's documented interface alone
//   own kernels  SEAL's multiply_poly_scalar_coeffmod and add_poly_coeffmod on the limbs, as HE-Transformer did
//   hand-tuned   our AVX2 multiply-accumulate on SEAL's buffers, blocked for the cache, reduced once per output
#pragma once

#include <seal/seal.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "experiments/versus/seal/workers.h"
#include "rust/cxx.h"

namespace henge::versus {

// Outputs that read the same inputs; weights are [output][input].
struct Group {
    std::vector<std::uint32_t> inputs, outputs;
    std::vector<double> weights;
};

struct Layer {
    double weight_scale;
    std::vector<double> bias;
    std::vector<Group> groups;
};

enum class Way : std::uint8_t { documented, own_kernels, hand_tuned };

// What is done to every ciphertext on its own.
enum class Step : std::uint8_t { square, relinearize, rescale, drop_prime };

// Linear layers, each followed by steps.
class Network {
public:
    Network(std::uint32_t log_n, rust::Slice<const std::uint64_t> primes, std::size_t threads);

    // The next linear layer; its groups follow, then its steps. Weights are rounded at `weight_scale`, and the layer
    // multiplies the scale by it.
    void add_layer(rust::Slice<const double> bias, double weight_scale);
    void add_group(
        rust::Slice<const std::uint32_t> inputs, rust::Slice<const std::uint32_t> outputs,
        rust::Slice<const double> weights);
    void add_step(std::uint8_t step);

    // Encodes and encrypts under the secret key, one ciphertext per row of `images` numbers.
    void encrypt(rust::Slice<const double> rows, std::size_t images, double scale);
    // From the encrypted input to the encrypted output.
    void run(std::uint8_t way);
    // The outputs, one row of `images` numbers each.
    rust::Vec<double> decrypt(std::size_t images);

private:
    using Ciphertexts = std::vector<seal::Ciphertext>;

    void by_output(const Ciphertexts &in, Ciphertexts &out, const Layer &layer, Way way);
    void by_tile(const Ciphertexts &in, Ciphertexts &out, const Layer &layer);
    void add_bias(seal::Ciphertext &out, double bias) const;
    void follow(Ciphertexts &values, const std::vector<Step> &steps);
    const std::vector<seal::Modulus> &primes_of(const seal::Ciphertext &x) const;

    seal::SEALContext context_;
    seal::KeyGenerator keys_;
    seal::RelinKeys relinearization_;
    seal::CKKSEncoder encoder_;
    seal::Encryptor encryptor_;
    seal::Evaluator evaluator_;
    seal::Decryptor decryptor_;
    std::size_t degree_;
    Workers workers_;
    std::vector<Layer> layers_;
    std::vector<std::vector<Step>> steps_;
    Ciphertexts input_, output_;
};

std::unique_ptr<Network> make_network(
    std::uint32_t log_n, rust::Slice<const std::uint64_t> primes, std::size_t threads);

} // namespace henge::versus
