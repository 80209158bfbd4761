use he_params::{CkksParams, CkksParamsLiteral, ModulusChain, RequiredSecurity};
use he_ring::{Coeff, Isa, RnsTensor};
use proptest::prelude::*;

use super::*;
use crate::Precision;

fn encoder(log_n: u8, isa: Isa) -> Encoder {
    let literal = CkksParamsLiteral {
        security: RequiredSecurity::Insecure,
        ..CkksParamsLiteral::new(log_n, ModulusChain::Bits(vec![50, 30, 29]), ModulusChain::Bits(vec![40]), 30.0)
    };
    Encoder::new(&CkksContext::with_isa(CkksParams::try_from(literal).unwrap(), isa).unwrap())
}

fn coefficients(encoder: &Encoder, plain: &Plaintext, value: usize) -> Vec<i128> {
    let ring = encoder.context.ring();
    let coeff: RnsTensor<Coeff> = ring.inverse(plain.rows().clone()).unwrap();
    ring.compose_centered_i128(&coeff, value).unwrap()
}

/// The inverse of the embedding by its definition: `a_k = round(scale * 2/N * sum_j Re(z_j conj(zeta^(k 3^j))))`.
#[test]
fn coefficients_are_those_of_the_definition() {
    let encoder = encoder(5, Isa::Scalar);
    let (n, scale) = (32usize, Scale::from_log2(30.0).unwrap());
    let z: Vec<Complex64> = (0..16).map(|j| Complex64::new((j as f64).sin(), (3.0 * j as f64).cos() / 2.0)).collect();
    let plain = encoder.encode_complex(&z, Level::new(2), scale).unwrap();
    let found = coefficients(&encoder, &plain, 0);
    for (k, found) in found.iter().enumerate() {
        let mut power = 1usize;
        let mut sum = 0.0;
        for z in &z {
            let angle = std::f64::consts::PI * ((k * power) % (2 * n)) as f64 / n as f64;
            sum += z.re * angle.cos() + z.im * angle.sin();
            power = power * 3 % (2 * n);
        }
        let exact = scale.get() * 2.0 / n as f64 * sum;
        assert!((exact - *found as f64).abs() < 0.5 + 1e-5, "{k}: {exact} {found}");
    }
}

#[test]
fn a_scalar_is_the_constant_polynomial() {
    let encoder = encoder(6, Isa::Scalar);
    let (level, scale) = (Level::new(1), Scale::from_log2(20.0).unwrap());
    let ring = encoder.context.ring();
    for x in [0.0, 1.0, -2.75, 0.5 / 1_048_576.0, -0.5 / 1_048_576.0, 1000.125] {
        let mut rows = ring.zero::<he_ring::Eval>(1, &[0, 1]).unwrap();
        ring.add_scalar_assign(&mut rows, &encoder.encode_scalars(&[x], level, scale).unwrap()).unwrap();
        let same = encoder.encode(&vec![x; 32], level, scale).unwrap();
        let rounded = (x * scale.get()).round() as i128;
        let found = coefficients(&encoder, &Plaintext::from_rows(&encoder.context, rows, scale).unwrap(), 0);
        assert_eq!(found[0], rounded, "halves away from zero");
        assert!(found[1..].iter().all(|a| *a == 0));
        // The vector path agrees, up to the last bit of its transform at a half.
        assert!(
            (coefficients(&encoder, &same, 0)[0] - rounded).abs() <= i128::from((x * scale.get()).fract().abs() == 0.5)
        );
    }
}

#[test]
fn many_rows_are_one_row_each() {
    for isa in Isa::available() {
        let encoder = encoder(7, isa);
        let (level, scale) = (Level::new(2), Scale::from_log2(25.0).unwrap());
        let rows: Vec<Vec<f64>> = (0..5).map(|i| (0..i * 13).map(|j| (i * j) as f64 / 100.0 - 1.0).collect()).collect();
        let all = encoder.encode_tensor(&rows, level, scale).unwrap();
        assert_eq!((all.values(), all.level(), all.scale()), (5, level, scale));
        for (value, row) in rows.iter().enumerate() {
            let one = encoder.encode(row, level, scale).unwrap();
            assert_eq!(coefficients(&encoder, &one, 0), coefficients(&encoder, &all, value));
            let back = encoder.decode(&all, value).unwrap();
            assert!(Precision::of_real(row, &back).worst_bits() > 18.0);
            assert!(back[row.len()..].iter().all(|x| x.abs() < 1e-5), "missing slots are zero");
        }
    }
}

proptest! {
    /// Encoding loses at most half a unit per coefficient: N/2 units in a slot, at the scale.
    #[test]
    fn decoding_gives_back_what_was_encoded(
        z in proptest::collection::vec((-1e3..1e3f64, -1e3..1e3f64), 1..64), log_scale in 10.0..50.0f64, level in 0u8..3,
    ) {
        let encoder = encoder(7, Isa::Scalar);
        let z: Vec<Complex64> = z.into_iter().map(|(re, im)| Complex64::new(re, im)).collect();
        let (level, scale) = (Level::new(level), Scale::from_log2(log_scale).unwrap());
        match encoder.encode_complex(&z, level, scale) {
            Ok(plain) => {
                let found = encoder.decode_complex(&plain, 0).unwrap();
                let error = Precision::of_complex(&z, &found).largest_error;
                prop_assert!(error < 64.0 / scale.get() + 1e-10, "{error}");
            }
            Err(CkksError::EncodingOverflow { log_coefficient, log_q }) => {
                prop_assert!(log_coefficient > log_q - 1.1 && log_coefficient < 10.6 + log_scale);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
