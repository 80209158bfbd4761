//! The declarations that Rust and C++ share. Exceptions arrive as `Err`; what has no `Result` does not throw.

#![expect(unreachable_pub, reason = "so the generated code is written")]

#[cxx::bridge(namespace = "henge::bridge")]
mod ffi {
    unsafe extern "C++" {
        include!("bindings/seal/bridge/cpp/context.h");
        include!("bindings/seal/bridge/cpp/keys.h");
        include!("bindings/seal/bridge/cpp/objects.h");
        include!("bindings/seal/bridge/cpp/operations.h");

        #[namespace = "seal"]
        type SEALContext;
        #[namespace = "seal"]
        type Plaintext;
        #[namespace = "seal"]
        type Ciphertext;
        #[namespace = "seal"]
        type SecretKey;
        #[namespace = "seal"]
        type PublicKey;
        #[namespace = "seal"]
        type RelinKeys;
        #[namespace = "seal"]
        type GaloisKeys;
        #[namespace = "seal"]
        type KeyGenerator;
        #[namespace = "seal"]
        type CKKSEncoder;
        #[namespace = "seal"]
        type Encryptor;
        #[namespace = "seal"]
        type Decryptor;
        #[namespace = "seal"]
        type Evaluator;

        // context.h
        fn make_context(n: usize, primes: &[u64], security: u32, seed: &[u64]) -> Result<UniquePtr<SEALContext>>;
        fn load_context(bytes: &[u8], security: u32) -> Result<UniquePtr<SEALContext>>;
        fn save_parameters(context: &SEALContext, mode: u8) -> Result<UniquePtr<CxxVector<u8>>>;
        fn degree(context: &SEALContext) -> usize;
        fn primes(context: &SEALContext) -> Vec<u64>;
        fn has_special_prime(context: &SEALContext) -> bool;
        fn granted_security(context: &SEALContext) -> u32;
        fn level_id(context: &SEALContext, primes: usize) -> Result<[u64; 4]>;
        fn next_level(context: &SEALContext, primes: usize) -> Result<usize>;
        fn roots(context: &SEALContext) -> Vec<u64>;
        fn ntt_forward(context: &SEALContext, prime: usize, words: &mut [u64]) -> Result<()>;
        fn ntt_inverse(context: &SEALContext, prime: usize, words: &mut [u64]) -> Result<()>;
        fn pick_primes(n: usize, bits: &[i32]) -> Result<Vec<u64>>;
        fn max_bit_count(n: usize, security: u32) -> Result<u32>;
        fn describe() -> String;

        // objects.h
        #[rust_name = "copy_plaintext"]
        fn copy(x: &Plaintext) -> UniquePtr<Plaintext>;
        #[rust_name = "copy_ciphertext"]
        fn copy(x: &Ciphertext) -> UniquePtr<Ciphertext>;
        #[rust_name = "copy_public_key"]
        fn copy(x: &PublicKey) -> UniquePtr<PublicKey>;
        #[rust_name = "copy_relin_keys"]
        fn copy(x: &RelinKeys) -> UniquePtr<RelinKeys>;
        #[rust_name = "copy_galois_keys"]
        fn copy(x: &GaloisKeys) -> UniquePtr<GaloisKeys>;
        #[rust_name = "save_plaintext"]
        fn save(x: &Plaintext, mode: u8) -> Result<UniquePtr<CxxVector<u8>>>;
        #[rust_name = "save_ciphertext"]
        fn save(x: &Ciphertext, mode: u8) -> Result<UniquePtr<CxxVector<u8>>>;
        #[rust_name = "save_secret_key"]
        fn save(x: &SecretKey, mode: u8) -> Result<UniquePtr<CxxVector<u8>>>;
        #[rust_name = "save_public_key"]
        fn save(x: &PublicKey, mode: u8) -> Result<UniquePtr<CxxVector<u8>>>;
        #[rust_name = "save_relin_keys"]
        fn save(x: &RelinKeys, mode: u8) -> Result<UniquePtr<CxxVector<u8>>>;
        #[rust_name = "save_galois_keys"]
        fn save(x: &GaloisKeys, mode: u8) -> Result<UniquePtr<CxxVector<u8>>>;
        #[rust_name = "load_plaintext"]
        fn load(context: &SEALContext, bytes: &[u8]) -> Result<UniquePtr<Plaintext>>;
        #[rust_name = "load_ciphertext"]
        fn load(context: &SEALContext, bytes: &[u8]) -> Result<UniquePtr<Ciphertext>>;
        #[rust_name = "load_secret_key"]
        fn load(context: &SEALContext, bytes: &[u8]) -> Result<UniquePtr<SecretKey>>;
        #[rust_name = "load_public_key"]
        fn load(context: &SEALContext, bytes: &[u8]) -> Result<UniquePtr<PublicKey>>;
        #[rust_name = "load_relin_keys"]
        fn load(context: &SEALContext, bytes: &[u8]) -> Result<UniquePtr<RelinKeys>>;
        #[rust_name = "load_galois_keys"]
        fn load(context: &SEALContext, bytes: &[u8]) -> Result<UniquePtr<GaloisKeys>>;
        #[rust_name = "plaintext_words"]
        fn words(x: &Plaintext) -> &[u64];
        #[rust_name = "ciphertext_words"]
        fn words(x: &Ciphertext) -> &[u64];
        #[rust_name = "secret_key_words"]
        fn words(x: &SecretKey) -> &[u64];
        #[rust_name = "public_key_words"]
        fn words(x: &PublicKey) -> &[u64];
        fn words_mut(x: Pin<&mut Ciphertext>) -> &mut [u64];
        #[rust_name = "plaintext_scale"]
        fn scale(x: &Plaintext) -> f64;
        #[rust_name = "ciphertext_scale"]
        fn scale(x: &Ciphertext) -> f64;
        #[rust_name = "set_plaintext_scale"]
        fn set_scale(x: Pin<&mut Plaintext>, scale: f64);
        #[rust_name = "set_ciphertext_scale"]
        fn set_scale(x: Pin<&mut Ciphertext>, scale: f64);
        #[rust_name = "plaintext_id"]
        fn parms_id(x: &Plaintext) -> [u64; 4];
        #[rust_name = "ciphertext_id"]
        fn parms_id(x: &Ciphertext) -> [u64; 4];
        #[rust_name = "secret_key_id"]
        fn parms_id(x: &SecretKey) -> [u64; 4];
        #[rust_name = "public_key_id"]
        fn parms_id(x: &PublicKey) -> [u64; 4];
        #[rust_name = "relin_keys_id"]
        fn parms_id(x: &RelinKeys) -> [u64; 4];
        #[rust_name = "galois_keys_id"]
        fn parms_id(x: &GaloisKeys) -> [u64; 4];
        fn component_count(x: &Ciphertext) -> usize;
        #[rust_name = "ciphertext_primes"]
        fn prime_count(x: &Ciphertext) -> usize;
        #[rust_name = "plaintext_primes"]
        fn prime_count(context: &SEALContext, x: &Plaintext) -> Result<usize>;
        fn ciphertext_from_words(
            context: &SEALContext,
            words: &[u64],
            components: usize,
            primes: usize,
            scale: f64,
        ) -> Result<UniquePtr<Ciphertext>>;
        fn zero_ciphertext(
            context: &SEALContext,
            components: usize,
            primes: usize,
            scale: f64,
        ) -> Result<UniquePtr<Ciphertext>>;
        fn plaintext_from_words(
            context: &SEALContext,
            words: &[u64],
            primes: usize,
            scale: f64,
        ) -> Result<UniquePtr<Plaintext>>;

        // keys.h
        fn make_key_generator(context: &SEALContext) -> Result<UniquePtr<KeyGenerator>>;
        fn make_key_generator_of(context: &SEALContext, secret: &SecretKey) -> Result<UniquePtr<KeyGenerator>>;
        fn secret_key(generator: &KeyGenerator) -> Result<UniquePtr<SecretKey>>;
        fn public_key(generator: Pin<&mut KeyGenerator>) -> Result<UniquePtr<PublicKey>>;
        fn relin_keys(generator: Pin<&mut KeyGenerator>) -> Result<UniquePtr<RelinKeys>>;
        fn galois_keys(generator: Pin<&mut KeyGenerator>, elements: &[u32]) -> Result<UniquePtr<GaloisKeys>>;
        fn default_galois_keys(generator: Pin<&mut KeyGenerator>) -> Result<UniquePtr<GaloisKeys>>;
        fn save_seeded_public_key(generator: Pin<&mut KeyGenerator>, mode: u8) -> Result<UniquePtr<CxxVector<u8>>>;
        fn save_seeded_relin_keys(generator: Pin<&mut KeyGenerator>, mode: u8) -> Result<UniquePtr<CxxVector<u8>>>;
        fn save_seeded_galois_keys(
            generator: Pin<&mut KeyGenerator>,
            elements: &[u32],
            mode: u8,
        ) -> Result<UniquePtr<CxxVector<u8>>>;
        fn secret_key_from_words(context: &SEALContext, words: &[u64]) -> Result<UniquePtr<SecretKey>>;
        fn public_key_from_words(context: &SEALContext, words: &[u64]) -> Result<UniquePtr<PublicKey>>;
        fn relin_keys_from_words(context: &SEALContext, words: &[u64]) -> Result<UniquePtr<RelinKeys>>;
        fn empty_galois_keys(context: &SEALContext) -> Result<UniquePtr<GaloisKeys>>;
        fn insert_galois_key(
            context: &SEALContext,
            keys: Pin<&mut GaloisKeys>,
            element: u32,
            words: &[u64],
        ) -> Result<()>;
        fn relin_key_words(keys: &RelinKeys, index: usize) -> Vec<u64>;
        fn galois_key_words(keys: &GaloisKeys, index: usize) -> Vec<u64>;
        fn galois_elements(keys: &GaloisKeys) -> Vec<u32>;
        fn relin_key_count(keys: &RelinKeys) -> usize;

        // operations.h
        fn make_encoder(context: &SEALContext) -> Result<UniquePtr<CKKSEncoder>>;
        fn make_public_encryptor(context: &SEALContext, key: &PublicKey) -> Result<UniquePtr<Encryptor>>;
        fn make_symmetric_encryptor(context: &SEALContext, key: &SecretKey) -> Result<UniquePtr<Encryptor>>;
        fn make_decryptor(context: &SEALContext, key: &SecretKey) -> Result<UniquePtr<Decryptor>>;
        fn make_evaluator(context: &SEALContext) -> Result<UniquePtr<Evaluator>>;
        fn encode_real(
            encoder: &CKKSEncoder,
            context: &SEALContext,
            values: &[f64],
            scale: f64,
            primes: usize,
        ) -> Result<UniquePtr<Plaintext>>;
        fn encode_complex(
            encoder: &CKKSEncoder,
            context: &SEALContext,
            parts: &[f64],
            scale: f64,
            primes: usize,
        ) -> Result<UniquePtr<Plaintext>>;
        fn encode_scalar(
            encoder: &CKKSEncoder,
            context: &SEALContext,
            value: f64,
            scale: f64,
            primes: usize,
        ) -> Result<UniquePtr<Plaintext>>;
        fn decode_real(encoder: &CKKSEncoder, plain: &Plaintext, values: &mut [f64]) -> Result<()>;
        fn decode_complex(encoder: &CKKSEncoder, plain: &Plaintext, parts: &mut [f64]) -> Result<()>;
        fn encrypt(encryptor: &Encryptor, plain: &Plaintext) -> Result<UniquePtr<Ciphertext>>;
        fn encrypt_symmetric(encryptor: &Encryptor, plain: &Plaintext) -> Result<UniquePtr<Ciphertext>>;
        fn save_seeded_ciphertext(
            encryptor: &Encryptor,
            plain: &Plaintext,
            mode: u8,
        ) -> Result<UniquePtr<CxxVector<u8>>>;
        fn decrypt(decryptor: &Decryptor, x: &Ciphertext) -> Result<UniquePtr<Plaintext>>;
        fn negate(evaluator: &Evaluator, x: Pin<&mut Ciphertext>) -> Result<()>;
        fn add(evaluator: &Evaluator, x: Pin<&mut Ciphertext>, y: &Ciphertext) -> Result<()>;
        fn sub(evaluator: &Evaluator, x: Pin<&mut Ciphertext>, y: &Ciphertext) -> Result<()>;
        fn add_plain(evaluator: &Evaluator, x: Pin<&mut Ciphertext>, y: &Plaintext) -> Result<()>;
        fn sub_plain(evaluator: &Evaluator, x: Pin<&mut Ciphertext>, y: &Plaintext) -> Result<()>;
        fn mul_plain(evaluator: &Evaluator, x: Pin<&mut Ciphertext>, y: &Plaintext) -> Result<()>;
        fn mul(
            evaluator: &Evaluator,
            context: &SEALContext,
            x: &Ciphertext,
            y: &Ciphertext,
        ) -> Result<UniquePtr<Ciphertext>>;
        fn square(evaluator: &Evaluator, context: &SEALContext, x: &Ciphertext) -> Result<UniquePtr<Ciphertext>>;
        fn relinearize(evaluator: &Evaluator, x: Pin<&mut Ciphertext>, keys: &RelinKeys) -> Result<()>;
        fn rescale(evaluator: &Evaluator, x: &Ciphertext) -> Result<UniquePtr<Ciphertext>>;
        fn drop_level(
            evaluator: &Evaluator,
            context: &SEALContext,
            x: &Ciphertext,
            primes: usize,
        ) -> Result<UniquePtr<Ciphertext>>;
        fn drop_plain_level(
            evaluator: &Evaluator,
            context: &SEALContext,
            x: Pin<&mut Plaintext>,
            primes: usize,
        ) -> Result<()>;
        fn rotate(evaluator: &Evaluator, x: Pin<&mut Ciphertext>, steps: i32, keys: &GaloisKeys) -> Result<()>;
        fn conjugate(evaluator: &Evaluator, x: Pin<&mut Ciphertext>, keys: &GaloisKeys) -> Result<()>;
        fn apply_galois(evaluator: &Evaluator, x: Pin<&mut Ciphertext>, element: u32, keys: &GaloisKeys) -> Result<()>;
    }
}

pub(crate) use ffi::*;

/// Says of types what SEAL's documentation says of their classes.
macro_rules! shared_by_threads {
    ($($class:ident: $reason:literal;)*) => {$(
        // SAFETY: nothing of a SEAL object belongs to the thread that made it; its memory pools are locked, or held by
        // the object through a counted pointer.
        unsafe impl Send for $class {}
        // SAFETY: $reason
        #[doc = $reason]
        unsafe impl Sync for $class {}
    )*};
}

shared_by_threads! {
    SEALContext: "nothing of it changes after it was made, but for tables of permutations, which are behind a lock";
    Plaintext: "documented: reading is safe while nobody writes, and writing takes `&mut` here";
    Ciphertext: "documented: reading is safe while nobody writes, and writing takes `&mut` here";
    SecretKey: "its data is a plaintext";
    PublicKey: "its data is a ciphertext";
    RelinKeys: "documented: reading is safe while nobody writes, and writing takes `&mut` here";
    GaloisKeys: "documented: reading is safe while nobody writes, and writing takes `&mut` here";
    CKKSEncoder: "what we call is const and reads tables that are made once";
    Encryptor: "documented: one may be shared by any number of threads";
    Decryptor: "documented: one may be shared by any number of threads";
    Evaluator: "what we call is const, and it holds nothing but the context";
}

// SAFETY: as above. It is not `Sync`: SEAL says nothing of generators and threads.
unsafe impl Send for KeyGenerator {}
