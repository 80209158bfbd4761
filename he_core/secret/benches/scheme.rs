//! The operations of the scheme, client's and server's, named `ckks/op/log_n/primes/isa`, and keys and encryptions of zero below
//! it, `rlwe/op/..`, on every instruction set of this machine. `7x30` is six primes of ciphertexts and a special one, all of 30 bits.
//!
//! `cargo bench -p he_secret`; one thread, unless `RAYON_NUM_THREADS` says more. Throughput counts ciphertexts or plaintexts.

#![expect(clippy::expect_used, reason = "a bench that cannot set up has nothing to measure")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_main};
use he_ckks::{CkksContext, Encoder, Evaluator, Isa, Seed};
use he_params::{CkksParams, CkksParamsLiteral, ModulusChain, RequiredSecurity, Rotation};
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};

/// Parameters to measure, with the name of their primes.
struct Shape {
    log_n: u8,
    primes: &'static str,
    q: &'static [u8],
    log_scale: f64,
    p: &'static [u8],
}

const SHAPES: [Shape; 3] = [
    Shape { log_n: 12, primes: "3x30", q: &[30, 30], log_scale: 25.0, p: &[30] },
    Shape { log_n: 13, primes: "7x30", q: &[30; 6], log_scale: 25.0, p: &[30] },
    Shape { log_n: 14, primes: "60_6x40_60", q: &[60, 40, 40, 40, 40, 40, 40], log_scale: 40.0, p: &[60] },
];

/// Values squared together, as an activation layer does.
const BATCH: usize = 32;

fn benches() {
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool was made before");
    }
    let mut c = Criterion::default().configure_from_args();
    for shape in &SHAPES {
        for isa in Isa::available() {
            measure(&mut c, shape, isa);
        }
    }
    c.final_summary();
}

fn context(shape: &Shape, isa: Isa) -> Arc<CkksContext> {
    let (q, p) = (ModulusChain::Bits(shape.q.to_vec()), ModulusChain::Bits(shape.p.to_vec()));
    // Speed does not depend on what these parameters are worth.
    let literal = CkksParamsLiteral {
        security: RequiredSecurity::Insecure,
        ..CkksParamsLiteral::new(shape.log_n, q, p, shape.log_scale)
    };
    CkksContext::with_isa(CkksParams::try_from(literal).expect("valid parameters"), isa).expect("a context")
}

fn measure(c: &mut Criterion, shape: &Shape, isa: Isa) {
    let context = &context(shape, isa);
    let (level, scale) = (context.params().max_level(), context.params().scale());
    let secret = SecretKey::generate(context, &Seed::new([1; 32])).expect("a secret key");
    let generator = KeyGenerator::new(context, &secret, Seed::new([2; 32]));
    let relinearization = generator.relinearization_key().expect("a key");
    let rotations = [Rotation(1), Rotation(2), Rotation(3), Rotation(4)];
    let galois = generator.galois_keys(&rotations, false).expect("keys");
    let (encoder, evaluator) = (Encoder::new(context), Evaluator::new(context));
    let mut encryptor = SymmetricEncryptor::new(context, &secret, &Seed::new([3; 32]));
    let mut public = he_ckks::PublicEncryptor::new(context, generator.public_key().expect("a key"), Seed::new([4; 32]));
    let decryptor = Decryptor::new(context, &secret);

    let numbers: Vec<f64> = (0..context.slots()).map(|i| (i as f64).sin()).collect();
    let plain = encoder.encode(&numbers, level, scale).expect("numbers that fit");
    let fresh = encryptor.encrypt(&numbers, level, scale).expect("numbers that fit");
    let x = fresh.expand(context).expect("a ciphertext of this context");
    let square = evaluator.square(&x).expect("two components");
    let last = evaluator.drop_level(x.clone(), he_params::Level::BOTTOM).expect("a level below");
    let batch = he_ckks::CiphertextTensor::concat(&[&x; BATCH]).expect("equal shapes");

    let name = |op: &str| format!("{op}/{}/{}/{}", shape.log_n, shape.primes, isa.name());
    let mut group = c.benchmark_group("rlwe");
    group.throughput(Throughput::Elements(1));
    group.bench_function(name("public_key"), |b| b.iter(|| black_box(&generator).public_key()));
    group.bench_function(name("relinearization_key"), |b| b.iter(|| black_box(&generator).relinearization_key()));
    group.bench_function(name("galois_key"), |b| b.iter(|| black_box(&generator).galois_keys(&rotations[..1], false)));
    let (rlwe, public_key, seed) = (context.rlwe(), generator.public_key().expect("a key"), Seed::new([5; 32]));
    group.bench_function(name("encrypt_zero"), |b| {
        b.iter(|| rlwe.encrypt_zero(black_box(&public_key), level, 1, &seed, 0))
    });
    group.finish();

    let mut group = c.benchmark_group("ckks");
    group.throughput(Throughput::Elements(1));

    // The client's half.
    group.bench_function(name("encode"), |b| b.iter(|| encoder.encode(black_box(&numbers), level, scale)));
    group.bench_function(name("encode_encrypt_symmetric"), |b| {
        b.iter(|| encryptor.encrypt(black_box(&numbers), level, scale));
    });
    group.bench_function(name("encrypt_public"), |b| b.iter(|| public.encrypt(black_box(&plain))));
    group.bench_function(name("expand"), |b| b.iter(|| fresh.expand(black_box(context))));
    group.bench_function(name("decrypt"), |b| b.iter(|| decryptor.decrypt(black_box(&x))));
    group.bench_function(name("decrypt_decode_at_the_last_level"), |b| {
        b.iter(|| encoder.decode(&decryptor.decrypt(black_box(&last)).expect("ours"), 0));
    });

    // The server's half.
    group.bench_function(name("add"), |b| b.iter(|| evaluator.add(black_box(&x), &x)));
    group.bench_function(name("mul_plain"), |b| b.iter(|| evaluator.mul_plain(black_box(&x), &plain)));
    group.bench_function(name("mul"), |b| b.iter(|| evaluator.mul(black_box(&x), &x)));
    group.bench_function(name("square"), |b| b.iter(|| evaluator.square(black_box(&x))));
    group.bench_function(name("relinearize"), |b| {
        b.iter(|| evaluator.relinearize(black_box(&square), &relinearization))
    });
    group.bench_function(name("relinearize_rescale"), |b| {
        b.iter(|| evaluator.relinearize_rescale(black_box(&square), &relinearization));
    });
    group.bench_function(name("rescale"), |b| {
        b.iter_batched(|| x.clone(), |x| evaluator.rescale(x), BatchSize::LargeInput);
    });
    group.bench_function(name("rotate"), |b| b.iter(|| evaluator.rotate(black_box(&x), rotations[0], &galois)));
    group.throughput(Throughput::Elements(rotations.len() as u64));
    group.bench_function(name("rotate_hoisted_4"), |b| {
        b.iter(|| evaluator.rotate_hoisted(black_box(&x), &rotations, &galois));
    });
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function(name("square_batch_32"), |b| b.iter(|| evaluator.square(black_box(&batch))));
}

criterion_main!(benches);
