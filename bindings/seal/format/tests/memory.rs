//! Nothing is allocated beyond the stated bounds, whatever a file says. Alone in its process: the allocator counts for all.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bounds;
mod mutation;

use bounds::{Bound, within};
use mutation::mutate;
use seal_format::{
    Ciphertext, CiphertextMetadata, Compression, Context, EncryptionParameters, FormatError, GaloisKeys, Generator,
    Load, Outline, Plaintext, PublicKey, Reader, RelinKeys, Save, SecretKey, Seed,
};

/// Why a file was refused, if it was.
type Loader = fn(&[u8], &Context) -> Option<FormatError>;

/// A loader with files that it reads, uncompressed, and what it may take.
type Case = (Loader, Vec<Vec<u8>>, Bound);

fn load<T: Load>(bytes: &[u8], context: &Context) -> Option<FormatError> {
    T::load(bytes, context).err()
}

fn parameters(bytes: &[u8], _: &Context) -> Option<FormatError> {
    EncryptionParameters::load(bytes, Reader::Known).err()
}

fn outline(bytes: &[u8], _: &Context) -> Option<FormatError> {
    Outline::read(bytes, Reader::Known).err()
}

/// Words below the primes, row after row, that look random.
fn residues(primes: &[u64], degree: usize, rows: usize) -> Vec<u64> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 3
    };
    (0..rows * degree).map(|at| next() % primes[at / degree % primes.len()]).collect()
}

/// Every kind of object under these parameters, whole and seeded.
fn cases(context: &Context) -> Vec<Case> {
    let (degree, all, data) = (context.degree(), context.primes(), context.primes_at(context.data_prime_count()));
    let seed = Seed { generator: Generator::Blake2xb, words: [1, 2, 3, 4, 5, 6, 7, 8] };
    let metadata =
        CiphertextMetadata { parms_id: context.first_parms_id(), is_ntt_form: true, size: 2, scale: 1073741824.0 };
    let row = |primes: &[u64], polynomials| residues(primes, degree, polynomials * primes.len());
    let save = |object: Result<Vec<u8>, FormatError>| object.expect("an object");
    let none = Compression::None;
    let plain = Plaintext::new(context, context.first_parms_id(), 1.0, row(data, 1)).and_then(|x| x.save(none));
    let whole = |size| {
        let metadata = CiphertextMetadata { size, ..metadata };
        save(Ciphertext::new(context, metadata, row(data, size)).and_then(|x| x.save(none)))
    };
    let seeded = Ciphertext::seeded(context, metadata, row(data, 1), seed).and_then(|x| x.save(none));
    let secret = SecretKey::new(context, row(all, 1)).and_then(|key| Ok(key.save(none)?.to_vec()));
    let publics = [PublicKey::new(context, row(all, 2)), PublicKey::seeded(context, row(all, 1), seed)];
    let publics = publics.map(|key| key.expect("a key"));
    let key = |public: &PublicKey| vec![public.clone(); data.len()];
    let relin = |public: &PublicKey| save(RelinKeys::new(context, vec![key(public)]).and_then(|keys| keys.save(none)));
    let galois = |public: &PublicKey| {
        let keys = vec![Vec::new(), key(public), key(public), Vec::new()];
        save(GaloisKeys::new(context, keys).and_then(|keys| keys.save(none)))
    };
    let public_files = publics.iter().map(|key| save(key.save(none))).collect();
    let (relin_files, galois_files) = (publics.iter().map(relin).collect(), publics.iter().map(galois).collect());
    let mut cases: Vec<Case> = vec![
        (parameters, vec![save(context.parameters().save(none))], bounds::parameters),
        (load::<Plaintext>, vec![save(plain)], bounds::plaintext),
        (load::<Ciphertext>, vec![whole(2), whole(3), save(seeded)], bounds::ciphertext),
        (load::<SecretKey>, vec![save(secret)], bounds::secret_key),
        (load::<PublicKey>, public_files, bounds::public_key),
        (load::<RelinKeys>, relin_files, bounds::relin_keys),
        (load::<GaloisKeys>, galois_files, bounds::galois_keys),
    ];
    let everything = cases.iter().flat_map(|(_, files, _)| files.clone()).collect();
    cases.push((outline, everything, bounds::outline));
    cases
}

#[test]
fn loaders_stay_within_their_bounds() {
    // Small, where much is tried, and large, where nothing beside the residues counts.
    for (degree, primes, mutations) in [
        (64, vec![1152921504606844417, 1073741441, 2199023254913], 1000),
        (4096, vec![68719230977, 68719403009, 137438822401], 40),
    ] {
        let context = Context::new(EncryptionParameters::new(degree, primes).expect("parameters")).expect("a context");
        let (mut refused, mut total) = (0, 0);
        for (load, files, bound) in cases(&context) {
            for file in files {
                // Worker threads make their queues once.
                (0..4).for_each(|_| assert_eq!(load(&file, &context), None));
                for number in 0..mutations {
                    let bytes = mutate(&file, number).bytes;
                    let bound = bound(&context, bytes.len());
                    refused += usize::from(within(bound, &bytes, |bytes| load(bytes, &context)).is_some());
                    total += 1;
                }
            }
        }
        println!("N = {degree}: {refused} of {total} files refused");
        assert!(2 * refused > total, "{refused} of {total}");
    }

    // A bomb: 300 MB of keys in a file that is ten thousand times smaller.
    let context = Context::new(EncryptionParameters::new(8192, he_primes()).expect("parameters"));
    let context = context.expect("a context");
    let key = PublicKey::new(&context, vec![0; 2 * context.degree() * context.key_prime_count()]).expect("a key");
    let bombs = {
        let key = vec![key; context.data_prime_count()];
        let keys = GaloisKeys::new(&context, [vec![key; 50], vec![Vec::new(); 8192 - 50]].concat()).expect("keys");
        [Compression::Zlib, Compression::Zstd].map(|compression| keys.save(compression).expect("memory"))
    };
    for bomb in bombs {
        let bound = bounds::galois_keys(&context, bomb.len());
        let error = within(bound, &bomb, |bomb| GaloisKeys::load(bomb, &context)).expect_err("a refusal");
        assert!(matches!(error, FormatError::Inflated { .. }), "{error}");
        let error = within(bounds::outline(&context, 0), &bomb, |bomb| Outline::read(bomb, Reader::Known));
        assert!(matches!(error, Err(FormatError::Inflated { .. })), "{error:?}");
    }
}

/// Seven primes of 30 bits for N = 8192.
fn he_primes() -> Vec<u64> {
    vec![1073184769, 1073233921, 1073299457, 1073430529, 1073479681, 1073643521, 1073692673]
}
