//! The declarations that Rust and C++ share. Exceptions arrive as `Err`.

#![expect(unreachable_pub, reason = "so the generated code is written")]

#[cxx::bridge(namespace = "henge::versus")]
mod ffi {
    unsafe extern "C++" {
        include!("experiments/versus/seal/scheme.h");

        type Scheme;
        fn make_scheme(log_n: u32, primes: &[u64]) -> Result<UniquePtr<Scheme>>;
        fn describe() -> String;
        fn thread_seconds() -> f64;
        fn set_secret(self: Pin<&mut Scheme>, rows: &[u64]) -> Result<()>;
        fn set_relinearization_key(self: Pin<&mut Scheme>, rows: &[u64]) -> Result<()>;
        fn set_rotation_key(self: Pin<&mut Scheme>, rows: &[u64]) -> Result<()>;
        fn set_left(self: Pin<&mut Scheme>, words: &[u64], components: usize, primes: usize, scale: f64) -> Result<()>;
        fn set_right(self: Pin<&mut Scheme>, words: &[u64], components: usize, primes: usize, scale: f64)
        -> Result<()>;
        fn set_values(self: Pin<&mut Scheme>, values: &[f64]) -> Result<()>;
        fn reset(self: Pin<&mut Scheme>) -> Result<()>;
        fn add(self: Pin<&mut Scheme>) -> Result<()>;
        fn multiply(self: Pin<&mut Scheme>) -> Result<()>;
        fn square(self: Pin<&mut Scheme>) -> Result<()>;
        fn multiply_plain(self: Pin<&mut Scheme>) -> Result<()>;
        fn relinearize(self: Pin<&mut Scheme>) -> Result<()>;
        fn rescale(self: Pin<&mut Scheme>) -> Result<()>;
        fn rotate(self: Pin<&mut Scheme>) -> Result<()>;
        fn encode(self: Pin<&mut Scheme>, scale: f64) -> Result<()>;
        fn encrypt_symmetric(self: Pin<&mut Scheme>) -> Result<()>;
        fn encrypt_public(self: Pin<&mut Scheme>) -> Result<()>;
        fn decrypt(self: Pin<&mut Scheme>) -> Result<()>;
        fn decode(self: Pin<&mut Scheme>) -> Result<()>;
        fn work(&self) -> Vec<u64>;
        fn values(&self) -> Vec<f64>;
        fn ntt_forward(&self, prime: usize, words: &mut [u64]) -> Result<()>;
        fn ntt_inverse(&self, prime: usize, words: &mut [u64]) -> Result<()>;
    }
}

pub(super) use ffi::*;
