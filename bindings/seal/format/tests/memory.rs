//! Nothing is allocated beyond the stated bounds, whatever a file says. Alone in its process: the allocator counts for all.
//!
//! Rust's memory is counted, where all that a file can ask for is reserved; libzstd's own is bounded by the window of 8 MiB.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use cap::Cap;
use seal_format::mutation::mutate;
use seal_format::{
    Ciphertext, Compression, Context, EncryptionParameters, FormatError, GaloisKeys, Load, Plaintext, PublicKey,
    Reader, RelinKeys, Save, SecretKey,
};

#[global_allocator]
static MEMORY: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

macro_rules! seal {
    ($name:literal) => {
        include_bytes!(concat!("../testdata/", $name, ".seal")).as_slice()
    };
}

/// The state of a decompressor, the text of an error, and what the worker threads of an expansion begin with.
const SLACK: usize = 1 << 17;

/// Runs `load` with no more than `bound` bytes beside what is in use; one byte more aborts the process.
fn within<T>(bound: usize, load: impl FnOnce() -> T) -> T {
    MEMORY.set_limit(MEMORY.allocated() + bound + SLACK).expect("a limit above what is in use");
    let result = load();
    MEMORY.set_limit(usize::MAX).expect("no limit");
    result
}

#[test]
fn loaders_stay_within_their_bounds() {
    let (parameters, _) =
        EncryptionParameters::load(seal!("parameters.none"), Reader::Known).expect("parameters of SEAL");
    let context = Context::new(parameters).expect("a context of SEAL");
    let (degree, data, all) = (context.degree(), context.data_prime_count(), context.key_prime_count());
    let component = 16 * degree * all;
    let bits = context.primes().iter().map(|q| q.ilog2() as usize).min().expect("primes");
    let keys = |input: usize| input * 128 / bits + 2 * component;

    type Loader = fn(&[u8], &Context) -> Option<FormatError>;
    type Case<'a> = (Loader, &'a [&'a [u8]], &'a dyn Fn(usize) -> usize);
    let parameters: Loader = |bytes, _| EncryptionParameters::load(bytes, Reader::Known).err();
    let bounds: [Case; 7] = [
        (parameters, &[seal!("parameters.none")], &|_| 4096),
        (|bytes, c| Plaintext::load(bytes, c).err(), &[seal!("plaintext.none")], &|_| 8 * degree * data),
        (
            |bytes, c| Ciphertext::load(bytes, c).err(),
            &[seal!("ciphertext.none"), seal!("ciphertext_seeded.none")],
            &|_| 16 * 8 * degree * data,
        ),
        (|bytes, c| SecretKey::load(bytes, c).err(), &[seal!("secret_key.none")], &|_| 8 * degree * all),
        (|bytes, c| PublicKey::load(bytes, c).err(), &[seal!("public_key_seeded.none")], &|_| component),
        (|bytes, c| RelinKeys::load(bytes, c).err(), &[seal!("relin_keys_seeded.none")], &keys),
        (|bytes, c| GaloisKeys::load(bytes, c).err(), &[seal!("galois_keys_seeded.none")], &|input| {
            keys(input) + 24 * degree
        }),
    ];
    let mut refused = 0;
    for (load, files, bound) in bounds {
        for file in files {
            for number in 0..1000 {
                let bytes = mutate(file, number).bytes;
                refused += usize::from(within(bound(bytes.len()), || load(&bytes, &context)).is_some());
            }
        }
    }
    assert!(refused > 5000, "{refused}");

    // A bomb: 300 MB of keys in a file that is ten thousand times smaller.
    let parameters = EncryptionParameters::new(8192, he_primes()).expect("parameters");
    let context = Context::new(parameters).expect("a context");
    let component = 16 * context.degree() * context.key_prime_count();
    let key = PublicKey::new(&context, vec![0; component / 8]).expect("a key");
    let bombs = {
        let key = vec![key; context.data_prime_count()];
        let keys = GaloisKeys::new(&context, [vec![key; 50], vec![Vec::new(); 8192 - 50]].concat()).expect("keys");
        [Compression::Zlib, Compression::Zstd].map(|compression| keys.save(compression).expect("memory"))
    };
    for bomb in bombs {
        let bound = bomb.len() * 128 / 29 + component + 24 * context.degree();
        let error = within(bound, || GaloisKeys::load(&bomb, &context)).expect_err("a refusal");
        assert!(matches!(error, FormatError::Inflated { .. }), "{error}");
    }
}

/// Seven primes of 30 bits.
fn he_primes() -> Vec<u64> {
    vec![1073184769, 1073233921, 1073299457, 1073430529, 1073479681, 1073643521, 1073692673]
}
