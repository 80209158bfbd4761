use super::*;
use crate::testing::{mixed_ring, random_tensor};
use crate::{Coeff, Isa};

/// Runs `want(words of each operand, q)` beside a result, word by word.
fn words<D: Domain>(x: &RnsTensor<D>, limb: usize, row: usize) -> Vec<u128> {
    x.row(limb, row).iter().map(u128::from).collect()
}

const LIMBS: [usize; 3] = [0, 1, 2];

#[test]
fn sums_and_products_agree_with_wide_integers() {
    for isa in Isa::available() {
        let ring = mixed_ring(4, isa);
        let x: RnsTensor<Eval> = random_tensor(&ring, 4, &LIMBS);
        // More limbs in another order, one row for all: looked up by ring index, broadcast.
        let y: RnsTensor<Eval> = random_tensor(&ring, 1, &[4, 2, 1, 0]);
        let mut sum = x.clone();
        ring.add_assign(&mut sum, &y).unwrap();
        let mut difference = x.clone();
        ring.sub_assign(&mut difference, &y).unwrap();
        let mut product = x.clone();
        ring.mul_assign(&mut product, &y).unwrap();
        let mut negative = x.clone();
        ring.negate_assign(&mut negative).unwrap();
        let mut fused = sum.clone();
        ring.mul_add_assign(&mut fused, &x, &y).unwrap();
        let mut into = x.zero_like();
        ring.mul_into(&mut into, &x, &y).unwrap();
        assert_eq!(into, product);
        for (limb, (q, at)) in x.primes().into_iter().zip([3, 2, 1]).enumerate() {
            let q = u128::from(q);
            for row in 0..4 {
                let (a, b) = (words(&x, limb, row), words(&y, at, 0));
                for i in 0..16 {
                    assert_eq!(words(&sum, limb, row)[i], (a[i] + b[i]) % q);
                    assert_eq!(words(&difference, limb, row)[i], (a[i] + q - b[i]) % q);
                    assert_eq!(words(&product, limb, row)[i], a[i] * b[i] % q);
                    assert_eq!(words(&negative, limb, row)[i], (q - a[i]) % q);
                    assert_eq!(words(&fused, limb, row)[i], (a[i] + b[i] + a[i] * b[i]) % q);
                }
            }
        }
    }
}

#[test]
fn strided_views_touch_their_rows_only() {
    let ring = mixed_ring(3, Isa::best().unwrap());
    let x: RnsTensor<Coeff> = random_tensor(&ring, 6, &LIMBS);
    let y: RnsTensor<Coeff> = random_tensor(&ring, 3, &LIMBS);
    let mut out = x.clone();
    ring.sub_assign(out.view_mut().select(1, 3, 2).unwrap(), &y).unwrap();
    for limb in 0..3 {
        for row in 0..6 {
            if row % 2 == 0 {
                assert_eq!(out.row(limb, row), x.row(limb, row));
            } else {
                let mut want = x.view().range(row, 1).unwrap().to_tensor();
                ring.sub_assign(&mut want, y.view().range(row / 2, 1).unwrap()).unwrap();
                assert_eq!(out.row(limb, row), want.row(limb, 0));
            }
        }
    }
    let inner = out.view().select(1, 3, 2).unwrap().select(1, 2, 1).unwrap();
    assert_eq!(inner.row(0, 1), out.row(0, 5));
}

#[test]
fn components_multiply_as_polynomials_in_the_secret() {
    let ring = mixed_ring(3, Isa::best().unwrap());
    let x: RnsTensor<Eval> = random_tensor(&ring, 6, &LIMBS);
    let y: RnsTensor<Eval> = random_tensor(&ring, 4, &LIMBS);
    let one_value = y.view().range(0, 2).unwrap();
    assert!(ring.mul_components(&x, 3, &y, 3).is_err());
    let both = ring.mul_components(&x, 3, &y, 2).unwrap();
    let broadcast = ring.mul_components(&x, 3, one_value, 2).unwrap();
    for (limb, q) in x.primes().into_iter().enumerate() {
        for value in 0..2 {
            for k in 0..4usize {
                for i in 0..8 {
                    let term = |y_value: usize, a: usize| match k.checked_sub(a) {
                        Some(b) if b < 2 => words(&x, limb, value * 3 + a)[i] * words(&y, limb, y_value * 2 + b)[i],
                        _ => 0,
                    };
                    let want = |v| (0..3).fold(0, |sum, a| (sum + term(v, a)) % u128::from(q));
                    assert_eq!(words(&both, limb, value * 4 + k)[i], want(value));
                    assert_eq!(words(&broadcast, limb, value * 4 + k)[i], want(0));
                }
            }
        }
    }
}

#[test]
fn inner_products_sum_every_digit() {
    for isa in Isa::available() {
        let ring = mixed_ring(5, isa);
        let digits: Vec<RnsTensor<Eval>> = (0..20).map(|d| scaled(&ring, 3, &LIMBS, d)).collect();
        let keys: Vec<RnsTensor<Eval>> = (0..20).map(|d| scaled(&ring, 2, &[0, 3, 1, 2], d + 7)).collect();
        let d: Vec<_> = digits.iter().map(RnsTensor::view).collect();
        let k: Vec<_> = keys.iter().map(RnsTensor::view).collect();
        let out = ring.inner_product(&d, &k).unwrap();
        let mut want = out.zero_like();
        for value in 0..3 {
            for c in 0..2 {
                let target = value * 2 + c;
                for (d, k) in d.iter().zip(&k) {
                    let (d, k) = (d.range(value, 1).unwrap(), k.range(c, 1).unwrap());
                    ring.mul_add_assign(want.view_mut().range(target, 1).unwrap(), d, k).unwrap();
                }
            }
        }
        assert_eq!(out, want);
        assert!(ring.inner_product(&d, &k[1..]).is_err());
        assert!(ring.inner_product(&[], &[]).is_err());
    }
}

fn scaled(ring: &Ring, rows: usize, limbs: &[usize], factor: i128) -> RnsTensor<Eval> {
    let mut x = random_tensor(ring, rows, limbs);
    ring.mul_scalar_assign(&mut x, &ring.scalars(&[factor * 1_000_003 - 1], limbs).unwrap()).unwrap();
    x
}

#[test]
fn scalars_act_as_constant_polynomials() {
    let ring = mixed_ring(4, Isa::best().unwrap());
    let x: RnsTensor<Coeff> = random_tensor(&ring, 2, &LIMBS);
    let values = [-(1i128 << 100) + 17, 12345];
    let scalars = ring.scalars(&values, &[2, 1, 0, 4]).unwrap();
    let mut constants = vec![0i128; 32];
    (constants[0], constants[16]) = (values[0], values[1]);
    let polynomials = ring.from_signed_i128(&constants, &LIMBS).unwrap();
    let mut want = x.clone();
    ring.add_assign(&mut want, &polynomials).unwrap();
    let mut got = x.clone();
    ring.add_scalar_assign(&mut got, &scalars).unwrap();
    assert_eq!(got, want);
    let (x, polynomials) = (ring.forward(x).unwrap(), ring.forward(polynomials).unwrap());
    let (mut got, mut want) = (x.clone(), ring.forward(want).unwrap());
    ring.add_scalar_assign(&mut got, &scalars).unwrap();
    assert_eq!(got, want);
    (got, want) = (x.clone(), x);
    ring.mul_scalar_assign(&mut got, &scalars).unwrap();
    ring.mul_assign(&mut want, &polynomials).unwrap();
    assert_eq!(got, want);
    let product = ring.product_of_primes(&[3, 4], &LIMBS).unwrap();
    let wide = i128::from(ring.primes()[3]) * i128::from(ring.primes()[4]);
    assert_eq!(product, ring.scalars(&[wide], &LIMBS).unwrap());
    let (p0, p1) = (ring.primes()[0], ring.primes()[1]);
    assert!(ring.scalars_from_residues(&[0, 1], &[vec![p0 - 1], vec![p1]]).is_err());
    let minus_one = ring.scalars_from_residues(&[0, 1], &[vec![p0 - 1], vec![p1 - 1]]).unwrap();
    assert_eq!(minus_one, ring.scalars(&[-1], &[0, 1]).unwrap());
}

#[test]
fn operands_that_do_not_fit_are_refused() {
    let (ring, other) = (mixed_ring(3, Isa::Scalar), mixed_ring(4, Isa::Scalar));
    let mut x: RnsTensor<Eval> = random_tensor(&ring, 2, &[0, 1]);
    let short: RnsTensor<Eval> = random_tensor(&ring, 2, &[0]);
    let missing = RingError::MissingLimb { index: 1, found: vec![0] };
    assert_eq!(ring.add_assign(&mut x, &short).err(), Some(missing));
    let tall: RnsTensor<Eval> = random_tensor(&ring, 3, &[0, 1]);
    assert_eq!(ring.mul_assign(&mut x, &tall).err(), Some(RingError::RowMismatch { left: 2, right: 3 }));
    let foreign: RnsTensor<Eval> = random_tensor(&other, 2, &[0, 1]);
    assert!(matches!(ring.sub_assign(&mut x, &foreign), Err(RingError::ForeignTensor { expected: 3, found: 4, .. })));
    assert_eq!(ring.zero::<Eval>(1, &[5]).err(), Some(RingError::LimbOutOfRange { index: 5, count: 5 }));
    assert_eq!(ring.zero::<Eval>(1, &[1, 1]).err(), Some(RingError::DuplicateLimb { index: 1 }));
    let q = ring.primes()[0];
    let refused = x.set_row_from_u64(0, 0, vec![q; 8].into_iter());
    assert_eq!(refused, Err(RingError::ResidueOutOfRange { value: q, q }));
    assert!(x.set_row_from_u64(0, 0, vec![0; 7].into_iter()).is_err());
    assert!(x.set_row_from_u64(2, 0, vec![0; 8].into_iter()).is_err());
    assert!(x.set_row_from_u64(0, 2, vec![0; 8].into_iter()).is_err());
    assert!(ring.from_signed(&[0i64; 9], &[0]).is_err());
    assert_eq!(Ring::new(3, &[q, q], Isa::Scalar).err(), Some(RingError::DuplicatePrime { q }));
    assert_eq!(Ring::new(20, &[q], Isa::Scalar).err(), Some(RingError::LogNOutOfRange { log_n: 20 }));
}

#[test]
fn debug_shows_sizes_and_wiping_leaves_zeros() {
    use zeroize::Zeroize;
    let ring = mixed_ring(3, Isa::Scalar);
    let mut x: RnsTensor<Coeff> = random_tensor(&ring, 2, &[0, 1]);
    assert_eq!(format!("{x:?}"), r#"RnsTensor { domain: "coeff", log_n: 3, rows: 2, limbs: [0, 1], .. }"#);
    x.zeroize();
    assert_eq!(x, x.zero_like());
}
