#include "experiments/versus/seal/network.h"

#include <seal/util/polyarithsmallmod.h>
#include <seal/util/uintarithsmallmod.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "experiments/versus/seal/multiply_accumulate.h"

namespace henge::versus {

using seal::util::CoeffIter;
using seal::util::ConstCoeffIter;
using std::size_t;
using std::uint64_t;

// Columns that a thread multiplies at a time.
static constexpr size_t TILE = 64;

static seal::MemoryPoolHandle pool() {
    return seal::MemoryManager::GetPool(seal::mm_prof_opt::mm_force_thread_local);
}

static seal::SEALContext make_context(std::uint32_t log_n, rust::Slice<const uint64_t> primes) {
    seal::EncryptionParameters parms(seal::scheme_type::ckks);
    parms.set_poly_modulus_degree(size_t(1) << log_n);
    parms.set_coeff_modulus(std::vector<seal::Modulus>(primes.begin(), primes.end()));
    // No check of the security: toy parameters serve tests, and the caller says which ones it took.
    seal::SEALContext context(parms, true, seal::sec_level_type::none);
    if (!context.parameters_set()) {
        throw std::invalid_argument(context.parameter_error_message());
    }
    return context;
}

// The integer nearest to a number, modulo a prime.
static uint64_t residue(double number, const seal::Modulus &prime) {
    double q = static_cast<double>(prime.value()), rest = std::fmod(std::round(number), q);
    return static_cast<uint64_t>(rest < 0 ? rest + q : rest);
}

Network::Network(std::uint32_t log_n, rust::Slice<const uint64_t> primes, size_t threads)
    : context_(make_context(log_n, primes)), keys_(context_), encoder_(context_),
      encryptor_(context_, keys_.secret_key()), evaluator_(context_), decryptor_(context_, keys_.secret_key()),
      degree_(size_t(1) << log_n), workers_(threads) {
    keys_.create_relin_keys(relinearization_);
}

void Network::add_layer(rust::Slice<const double> bias, double weight_scale) {
    layers_.push_back({ weight_scale, std::vector<double>(bias.begin(), bias.end()), {} });
    steps_.emplace_back();
}

void Network::add_group(
    rust::Slice<const std::uint32_t> inputs, rust::Slice<const std::uint32_t> outputs,
    rust::Slice<const double> weights) {
    if (layers_.empty() || weights.size() != inputs.size() * outputs.size()) {
        throw std::invalid_argument("a group without a layer, or weights that are not outputs x inputs");
    }
    Group group;
    group.inputs.assign(inputs.begin(), inputs.end());
    group.outputs.assign(outputs.begin(), outputs.end());
    group.weights.assign(weights.begin(), weights.end());
    layers_.back().groups.push_back(std::move(group));
}

void Network::add_step(std::uint8_t step) {
    if (steps_.empty() || step > static_cast<std::uint8_t>(Step::drop_prime)) {
        throw std::invalid_argument("a step without a layer, or an unknown one");
    }
    steps_.back().push_back(static_cast<Step>(step));
}

void Network::encrypt(rust::Slice<const double> rows, size_t images, double scale) {
    if (images == 0 || rows.size() % images != 0) {
        throw std::invalid_argument("not a whole number of rows");
    }
    input_.resize(rows.size() / images);
    workers_.each(input_.size(), 1, [&](size_t i) {
        std::vector<double> row(rows.begin() + i * images, rows.begin() + (i + 1) * images);
        seal::Plaintext plain;
        encoder_.encode(row, scale, plain, pool());
        encryptor_.encrypt_symmetric(plain, input_[i], pool());
    });
}

rust::Vec<double> Network::decrypt(size_t images) {
    std::vector<std::vector<double>> rows(output_.size());
    workers_.each(rows.size(), 1, [&](size_t i) {
        seal::Plaintext plain;
        decryptor_.decrypt(output_[i], plain);
        encoder_.decode(plain, rows[i], pool());
    });
    rust::Vec<double> all;
    all.reserve(rows.size() * images);
    for (auto &row : rows) {
        std::copy(row.begin(), row.begin() + images, std::back_inserter(all));
    }
    return all;
}

const std::vector<seal::Modulus> &Network::primes_of(const seal::Ciphertext &x) const {
    return context_.get_context_data(x.parms_id())->parms().coeff_modulus();
}

void Network::run(std::uint8_t way) {
    Ciphertexts x, y;
    for (size_t i = 0; i < layers_.size(); i++) {
        const Ciphertexts &in = i == 0 ? input_ : x;
        y.assign(layers_[i].bias.size(), seal::Ciphertext());
        if (static_cast<Way>(way) == Way::hand_tuned) {
            by_tile(in, y, layers_[i]);
        } else {
            by_output(in, y, layers_[i], static_cast<Way>(way));
        }
        follow(y, steps_[i]);
        std::swap(x, y);
    }
    output_ = std::move(x);
}

// All steps of one ciphertext together, while it is in the cache.
void Network::follow(Ciphertexts &values, const std::vector<Step> &steps) {
    workers_.each(values.size(), 1, [&](size_t i) {
        auto memory = pool();
        for (auto step : steps) {
            switch (step) {
            case Step::square:
                evaluator_.square_inplace(values[i], memory);
                break;
            case Step::relinearize:
                evaluator_.relinearize_inplace(values[i], relinearization_, memory);
                break;
            case Step::rescale:
                evaluator_.rescale_to_next_inplace(values[i], memory);
                break;
            case Step::drop_prime:
                evaluator_.mod_switch_to_next_inplace(values[i], memory);
                break;
            }
        }
    });
}

void Network::add_bias(seal::Ciphertext &out, double bias) const {
    auto &primes = primes_of(out);
    for (size_t l = 0; l < primes.size(); l++) {
        seal::util::add_poly_scalar_coeffmod(
            ConstCoeffIter(out.data() + l * degree_), degree_, residue(bias * out.scale(), primes[l]), primes[l],
            CoeffIter(out.data() + l * degree_));
    }
}

void Network::by_output(const Ciphertexts &in, Ciphertexts &out, const Layer &layer, Way way) {
    auto parms = in[0].parms_id();
    auto &primes = primes_of(in[0]);
    size_t components = in[0].size();
    double weight_scale = layer.weight_scale, scale = in[0].scale() * weight_scale;
    std::vector<std::pair<const Group *, size_t>> jobs;
    for (auto &group : layer.groups) {
        for (size_t o = 0; o < group.outputs.size(); o++) {
            jobs.emplace_back(&group, o);
        }
    }
    workers_.each(jobs.size(), 1, [&](size_t job) {
        auto &group = *jobs[job].first;
        const double *weights = group.weights.data() + jobs[job].second * group.inputs.size();
        size_t index = group.outputs[jobs[job].second];
        auto &sum = out.at(index);
        if (way == Way::documented) {
            thread_local seal::Ciphertext product;
            thread_local seal::Plaintext plain;
            for (size_t k = 0; k < group.inputs.size(); k++) {
                encoder_.encode(weights[k], parms, weight_scale, plain, pool());
                if (k == 0) {
                    evaluator_.multiply_plain(in[group.inputs[k]], plain, sum, pool());
                } else {
                    evaluator_.multiply_plain(in[group.inputs[k]], plain, product, pool());
                    evaluator_.add_inplace(sum, product);
                }
            }
        } else {
            thread_local std::vector<uint64_t> product;
            product.resize(degree_);
            sum.resize(context_, parms, components);
            std::memset(sum.data(), 0, sum.dyn_array().size() * sizeof(uint64_t));
            for (size_t k = 0; k < group.inputs.size(); k++) {
                const uint64_t *x = in[group.inputs[k]].data();
                for (size_t l = 0; l < primes.size(); l++) {
                    seal::util::MultiplyUIntModOperand w;
                    w.set(residue(weights[k] * weight_scale, primes[l]), primes[l]);
                    for (size_t component = 0; component < components; component++) {
                        size_t at = (component * primes.size() + l) * degree_;
                        seal::util::multiply_poly_scalar_coeffmod(
                            ConstCoeffIter(x + at), degree_, w, primes[l], CoeffIter(product.data()));
                        seal::util::add_poly_coeffmod(
                            ConstCoeffIter(sum.data() + at), ConstCoeffIter(product.data()), degree_, primes[l],
                            CoeffIter(sum.data() + at));
                    }
                }
            }
        }
        sum.is_ntt_form() = true;
        sum.scale() = scale;
        add_bias(sum, layer.bias[index]);
    });
}

void Network::by_tile(const Ciphertexts &in, Ciphertexts &out, const Layer &layer) {
    auto parms = in[0].parms_id();
    auto &primes = primes_of(in[0]);
    size_t count = primes.size(), components = in[0].size(), widest = 0;
    for (auto &prime : primes) {
        if (prime.bit_count() > 32) {
            throw std::invalid_argument("the hand-tuned layers multiply 32-bit residues");
        }
    }
    workers_.each(out.size(), 8, [&](size_t o) { out[o].resize(context_, parms, components); });
    // Residues of the weights, [group][prime][output][input].
    std::vector<std::vector<std::vector<uint64_t>>> weights(layer.groups.size());
    for (size_t g = 0; g < layer.groups.size(); g++) {
        auto &group = layer.groups[g];
        widest = std::max(widest, group.outputs.size());
        weights[g].resize(count);
        for (size_t l = 0; l < count; l++) {
            for (double w : group.weights) {
                weights[g][l].push_back(residue(w * layer.weight_scale, primes[l]));
            }
        }
    }
    size_t tiles = degree_ / TILE;
    workers_.each(components * count * tiles, 4, [&](size_t job) {
        thread_local std::vector<uint64_t> low, high;
        thread_local std::vector<const uint64_t *> x;
        low.resize(widest * TILE);
        high.resize(widest * TILE);
        size_t row = job / tiles, first = row * degree_ + job % tiles * TILE, l = row % count;
        auto &prime = primes[l];
        int bits = prime.bit_count();
        size_t chunk = 2 * bits >= 64 ? 1 : size_t(1) << std::min(20, 64 - 2 * bits);
        for (size_t g = 0; g < layer.groups.size(); g++) {
            auto &group = layer.groups[g];
            x.clear();
            for (auto i : group.inputs) {
                x.push_back(in[i].data());
            }
            multiply_accumulate(
                x.data(), weights[g][l].data(), group.inputs.size(), group.outputs.size(), first, low.data(), high.data(),
                TILE, chunk);
            for (size_t o = 0; o < group.outputs.size(); o++) {
                uint64_t *to = out[group.outputs[o]].data() + first;
                for (size_t t = 0; t < TILE; t++) {
                    unsigned __int128 sum =
                        (static_cast<unsigned __int128>(high[o * TILE + t]) << 32) + low[o * TILE + t];
                    uint64_t words[2] = { static_cast<uint64_t>(sum), static_cast<uint64_t>(sum >> 64) };
                    to[t] = seal::util::barrett_reduce_128(words, prime);
                }
            }
        }
    });
    workers_.each(out.size(), 8, [&](size_t o) {
        out[o].is_ntt_form() = true;
        out[o].scale() = in[0].scale() * layer.weight_scale;
        add_bias(out[o], layer.bias[o]);
    });
}

std::unique_ptr<Network> make_network(
    std::uint32_t log_n, rust::Slice<const uint64_t> primes, size_t threads) {
    return std::make_unique<Network>(log_n, primes, threads);
}

} // namespace henge::versus
