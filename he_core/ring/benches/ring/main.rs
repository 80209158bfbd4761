//! The operations that carry a network, named `ring/op/log_n/primes/isa`, on every instruction set of this machine.
//!
//! `cargo bench -p he_ring`, or a part: `cargo bench -p he_ring -- ring/ntt_forward/13`. One thread, unless
//! `RAYON_NUM_THREADS` says more. Throughput counts what the operation's file says. Ratios are to be taken inside one run.

#![expect(clippy::expect_used, reason = "a bench that cannot set up has nothing to measure")]

mod elementwise;
mod fft;
mod matrix;
mod rns;
mod sampling;
mod setup;
mod transform;

use criterion::{Criterion, criterion_main};

fn benches() {
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool was made before");
    }
    let mut c = Criterion::default().configure_from_args();
    transform::benches(&mut c);
    elementwise::benches(&mut c);
    rns::benches(&mut c);
    matrix::benches(&mut c);
    fft::benches(&mut c);
    sampling::benches(&mut c);
    c.final_summary();
}

criterion_main!(benches);
