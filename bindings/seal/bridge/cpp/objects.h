// What every object of SEAL has: a life of its own, words, and bytes in SEAL's format.
#pragma once

#include <seal/seal.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "rust/cxx.h"

namespace henge::bridge {

using Words = rust::Slice<const std::uint64_t>;
using Bytes = rust::Slice<const std::uint8_t>;
using ByteVector = std::unique_ptr<std::vector<std::uint8_t>>;

// Where operations take their scratch from: no lock, and it ends with the thread.
inline seal::MemoryPoolHandle scratch() { return seal::MemoryPoolHandle::ThreadLocal(); }

// An object without content. A ciphertext has a pool of its own, so that its memory goes back when it goes; SEAL's global
// pool would keep it.
template <class T>
std::unique_ptr<T> fresh() {
    if constexpr (std::is_same_v<T, seal::Ciphertext>) {
        return std::make_unique<T>(seal::MemoryPoolHandle::New());
    } else {
        return std::make_unique<T>();
    }
}

template <class T>
std::unique_ptr<T> copy(const T &x) {
    auto result = fresh<T>();
    *result = x;
    return result;
}

// Refuses what SEAL's checks let pass and its operations do not expect in CKKS.
void check(const seal::SEALContext &context, const seal::Ciphertext &x);
void check(const seal::SEALContext &context, const seal::Plaintext &x);
void check(const seal::SEALContext &context, const seal::RelinKeys &x);
inline void check(const seal::SEALContext &, const seal::SecretKey &) {}
inline void check(const seal::SEALContext &, const seal::PublicKey &) {}
inline void check(const seal::SEALContext &, const seal::GaloisKeys &) {}

// 0 none, 1 zlib, 2 zstd, as in the format.
seal::compr_mode_type compression(std::uint8_t mode);

// The object as SEAL writes it. For what SEAL can only write (an object with a seed) T is a seal::Serializable.
template <class T>
ByteVector save(const T &x, std::uint8_t mode) {
    auto compressor = compression(mode);
    auto bytes = std::make_unique<std::vector<std::uint8_t>>(static_cast<std::size_t>(x.save_size(compressor)));
    auto written = x.save(reinterpret_cast<seal::seal_byte *>(bytes->data()), bytes->size(), compressor);
    bytes->resize(static_cast<std::size_t>(written));
    return bytes;
}

// Reads one object from the beginning of the bytes, with every check that SEAL makes and those above.
template <class T>
std::unique_ptr<T> load(const seal::SEALContext &context, Bytes bytes) {
    auto result = fresh<T>();
    result->load(context, reinterpret_cast<const seal::seal_byte *>(bytes.data()), bytes.size());
    check(context, *result);
    return result;
}

// Residues: [component][prime][N] of a ciphertext or public key, [prime][N] of a plaintext or secret key.
inline Words words(const seal::Ciphertext &x) noexcept { return { x.data(), x.dyn_array().size() }; }
inline Words words(const seal::Plaintext &x) noexcept { return { x.data(), x.dyn_array().size() }; }
inline Words words(const seal::SecretKey &x) noexcept { return words(x.data()); }
inline Words words(const seal::PublicKey &x) noexcept { return words(x.data()); }

inline rust::Slice<std::uint64_t> words_mut(seal::Ciphertext &x) noexcept { return { x.data(), x.dyn_array().size() }; }

inline double scale(const seal::Ciphertext &x) noexcept { return x.scale(); }
inline double scale(const seal::Plaintext &x) noexcept { return x.scale(); }
inline void set_scale(seal::Ciphertext &x, double scale) noexcept { x.scale() = scale; }
inline void set_scale(seal::Plaintext &x, double scale) noexcept { x.scale() = scale; }

template <class T>
std::array<std::uint64_t, 4> parms_id(const T &x) noexcept {
    return x.parms_id();
}

inline std::size_t component_count(const seal::Ciphertext &x) noexcept { return x.size(); }
inline std::size_t prime_count(const seal::Ciphertext &x) noexcept { return x.coeff_modulus_size(); }
std::size_t prime_count(const seal::SEALContext &context, const seal::Plaintext &x);

// Objects from residues: sizes and ranges are checked.
std::unique_ptr<seal::Ciphertext> ciphertext_from_words(
    const seal::SEALContext &context, Words words, std::size_t components, std::size_t primes, double scale);
std::unique_ptr<seal::Ciphertext> zero_ciphertext(
    const seal::SEALContext &context, std::size_t components, std::size_t primes, double scale);
std::unique_ptr<seal::Plaintext> plaintext_from_words(
    const seal::SEALContext &context, Words words, std::size_t primes, double scale);

} // namespace henge::bridge
