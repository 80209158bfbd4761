//! The declarations that Rust and C++ share. Exceptions arrive as `Err`.

#![expect(unreachable_pub, reason = "so the generated code is written")]

#[cxx::bridge(namespace = "henge::versus")]
mod ffi {
    unsafe extern "C++" {
        include!("experiments/versus/seal/matrix.h");
        include!("experiments/versus/seal/network.h");
        include!("experiments/versus/seal/scheme.h");

        type Network;
        fn make_network(log_n: u32, primes: &[u64], threads: usize) -> Result<UniquePtr<Network>>;
        fn add_layer(self: Pin<&mut Network>, bias: &[f64], weight_scale: f64) -> Result<()>;
        fn add_group(self: Pin<&mut Network>, inputs: &[u32], outputs: &[u32], weights: &[f64]) -> Result<()>;
        fn add_step(self: Pin<&mut Network>, step: u8) -> Result<()>;
        fn encrypt(self: Pin<&mut Network>, rows: &[f64], images: usize, scale: f64) -> Result<()>;
        fn run(self: Pin<&mut Network>, way: u8) -> Result<()>;
        fn decrypt(self: Pin<&mut Network>, images: usize) -> Result<Vec<f64>>;

        type Matrix;
        fn make_matrix(
            log_n: u32,
            prime: u64,
            inputs: usize,
            outputs: usize,
            components: usize,
            weights: &[i64],
        ) -> Result<UniquePtr<Matrix>>;
        fn set_row(self: Pin<&mut Matrix>, row: usize, words: &[u64]) -> Result<()>;
        fn run(self: Pin<&mut Matrix>, hand_tuned: bool) -> Result<()>;
        fn result(self: &Matrix, row: usize) -> Result<Vec<u64>>;

        type Scheme;
        fn make_scheme(log_n: u32, primes: &[u64]) -> Result<UniquePtr<Scheme>>;
        fn describe() -> String;
        fn thread_seconds() -> f64;
        fn process_seconds() -> f64;
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
        fn work(self: &Scheme) -> Vec<u64>;
        fn values(self: &Scheme) -> Vec<f64>;
        fn ntt_forward(self: &Scheme, prime: usize, words: &mut [u64]) -> Result<()>;
        fn ntt_inverse(self: &Scheme, prime: usize, words: &mut [u64]) -> Result<()>;
    }
}

pub(super) use ffi::*;
