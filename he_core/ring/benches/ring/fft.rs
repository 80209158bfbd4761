//! The encoder's floating-point transforms; throughput counts butterflies, N/4 log2 (N/2) to a transform of N/2 slots.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use he_ring::{FftPlan, IntegerPoly, Isa};

pub(crate) fn benches(c: &mut Criterion) {
    for log_n in [12, 13, 14, 15] {
        for isa in Isa::available() {
            let plan = FftPlan::new(log_n, isa).expect("a degree");
            let slots = plan.slots();
            let re: Vec<f64> = (0..slots).map(|i| (i as f64).sin()).collect();
            let (mut im, mut back) = (re.clone(), re.clone());
            let mut coefficients = vec![0.0; 2 * slots];
            let mut integers = IntegerPoly::default();
            let mut group = c.benchmark_group("ring");
            let name = |op: &str| format!("{op}/{log_n}/-/{}", isa.name());

            group.throughput(Throughput::Elements(u64::from(log_n - 1) << (log_n - 2)));
            group.bench_function(name("fft_to_coefficients"), |b| {
                b.iter(|| plan.slots_to_coefficients(black_box(&re), black_box(&re), 1e9, &mut coefficients).is_ok());
            });
            let source = coefficients.clone();
            group.bench_function(name("fft_to_slots"), |b| {
                b.iter(|| {
                    // The transform works in place.
                    coefficients.copy_from_slice(&source);
                    plan.coefficients_to_slots(black_box(&mut coefficients), &mut back, &mut im)
                });
            });
            group.throughput(Throughput::Elements(2 * slots as u64));
            let x = plan.slots_to_coefficients(&re, &re, 1e9, &mut coefficients).expect("as many slots");
            group.bench_function(name("fft_round"), |b| b.iter(|| integers.round(black_box(&x))));
        }
    }
}
