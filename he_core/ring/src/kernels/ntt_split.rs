//! Products with a twiddle from 32-bit halves, for processors whose vectors multiply no wider; primes up to 61 bits.
//!
//! Words are signed, `x = 2^32 x1 + x0` with `x0` in `[-2^31, 2^31)`; `x*w - e*q` needs 64 bits only. Two ways:
//! - [`parts`]: `b = w` and `a = 2^32 w`, both mod q around zero, with `a' = round(2^32 a / q)` and
//!   `b' = round(2^32 b / q)` in `[-2^31, 2^31)`. `x*w = x1*a + x0*b`, `e = floor((x1*a' + x0*b') / 2^32 + 1/2)`:
//!   eight 32-bit products, where Shoup's quotient takes nine and leaves a wider range.
//! - [`quotient_parts`], for vectors with a 64-bit low product: `w' = round(2^64 w / q) = 2^32 h + l`, `h` and `l` in
//!   `[-2^31, 2^31)`, `e = x1*h + floor((x1*l + x0*h) / 2^32 + 1/2)`: three 32-bit products and two low ones.
//!
//! Range: either `e` misses `x*w / q` by at most `1/2` and `1/4` (for `x0`) and `|x| 2^-65` (for `x1`) and `2^-34`,
//! below 1 together for `|x| <= MAX_FACTOR`; that also keeps the sum for `e` within 63 bits.
//! A half that multiplies is read as a signed number: low halves carry into high ones, see [`halves`].

/// Factors of products have at most this magnitude.
pub(super) const MAX_FACTOR: i64 = i64::MAX - (1 << 34) + 1;

/// The bound of a product in units of q, for a factor that is `share` of [`MAX_FACTOR`].
pub(super) fn product_bound(share: f64) -> f64 {
    0.75 + share / 4.0 + 1e-9
}

/// The bound of `x - round(x / q) * q` with the quotient from `x1 * round(2^64 / q)`, for primes above 2^50.
pub(super) fn reduced_bound(share: f64) -> f64 {
    0.5 + share / 4.0 + 1e-5
}

/// `x` as `2^32 h + l` with l in `[-2^31, 2^31)`, h above and l below.
pub(super) fn halves(x: i64) -> u64 {
    (x as u64).wrapping_add((x as u64 & 1 << 31) << 1)
}

/// `w mod q` around zero and `round(2^32 w / q)` in `[-2^31, 2^31)`.
fn centered(w: u64, q: u64) -> (i64, i32) {
    let quotient = (((u128::from(w) << 33) / u128::from(q) + 1) >> 1) as u64;
    if quotient < 1 << 31 { (w as i64, quotient as i32) } else { (w as i64 - q as i64, quotient as u32 as i32) }
}

/// The halves of `b`, those of `a`, and `a'` above `b'`.
pub(super) fn parts(w: u64, q: u64) -> [u64; 3] {
    let (b, b_quotient) = centered(w, q);
    let (a, a_quotient) = centered(((u128::from(w) << 32) % u128::from(q)) as u64, q);
    [halves(b), halves(a), (a_quotient as u32 as u64) << 32 | b_quotient as u32 as u64]
}

/// `w mod q` around zero and the halves of `round(2^64 w / q)`.
pub(super) fn quotient_parts(w: u64, q: u64) -> [u64; 2] {
    let (b, _) = centered(w, q);
    let rest = b.unsigned_abs();
    let magnitude = ((((u128::from(rest) << 65) / u128::from(q)) + 1) >> 1) as i64;
    [b as u64, halves(if b < 0 { -magnitude } else { magnitude })]
}

/// `round(2^64 / q)`.
pub(super) fn reciprocal(q: u64) -> u64 {
    (((1 << 65) / u128::from(q) + 1) >> 1) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The formula in wide integers, with every range that lanes rely on.
    fn product(x: i64, w: u64, q: u64) -> i128 {
        let signed = |half: u64| i128::from(half as u32 as i32);
        let number = |halves: u64| signed(halves) + (i128::from((halves >> 32) as i32) << 32);
        let [b, a, quotients] = parts(w, q);
        let (x0, x1) = (signed(x as u64), signed((x + (1 << 31)) as u64 >> 32));
        assert_eq!(x0 + (x1 << 32), i128::from(x));
        let sum = x1 * signed(quotients >> 32) + x0 * signed(quotients) + (1 << 31);
        assert!(i64::try_from(sum).is_ok());
        let e = sum >> 32;
        assert!(i32::try_from(e).is_ok());
        x1 * number(a) + x0 * number(b) - e * i128::from(q)
    }

    fn product_by_quotient(x: i64, w: u64, q: u64) -> i128 {
        let signed = |half: u64| i128::from(half as u32 as i32);
        let [w, quotient] = quotient_parts(w, q);
        let (x0, x1) = (signed(x as u64), signed((x + (1 << 31)) as u64 >> 32));
        let sum = x1 * signed(quotient) + x0 * signed(quotient >> 32) + (1 << 31);
        assert!(i64::try_from(sum).is_ok());
        let e = x1 * signed(quotient >> 32) + (sum >> 32);
        assert!(i64::try_from(e).is_ok());
        i128::from(x) * i128::from(w as i64) - e * i128::from(q)
    }

    fn check(x: i64, w: u64, q: u64) {
        check_product(x, w, q, product(x, w, q));
        check_product(x, w, q, product_by_quotient(x, w, q));

        let x1 = i128::from((x + (1 << 31)) >> 32);
        let e = (x1 * i128::from(reciprocal(q)) + (1 << 31)) >> 32;
        let reduced = i128::from(x) - e * i128::from(q);
        let bound = reduced_bound(x.unsigned_abs() as f64 / MAX_FACTOR as f64) * q as f64;
        assert!(reduced.unsigned_abs() as f64 <= bound && bound < q as f64, "x={x} q={q}: {reduced}");
    }

    fn check_product(x: i64, w: u64, q: u64, r: i128) {
        let exact = i128::from(x) * i128::from(w);
        assert_eq!((exact - r).rem_euclid(i128::from(q)), 0, "x={x} w={w} q={q}");
        let bound = product_bound(x.unsigned_abs() as f64 / MAX_FACTOR as f64) * q as f64;
        assert!(r.unsigned_abs() as f64 <= bound && r.unsigned_abs() < u128::from(q), "x={x} w={w} q={q}: {r}");
    }

    /// Moduli (not all prime) at both ends of the range, and where 2^32 mod q is special.
    const MODULI: [u64; 6] =
        [(1 << 50) + 1, (1 << 51) - 1, (1 << 60) + 1, 1152921504606748673, (1 << 61) - (1 << 32) + 1, (1 << 61) - 1];

    proptest! {
        #[test]
        fn products_stay_below_the_modulus(x in -MAX_FACTOR..=MAX_FACTOR, w: u64) {
            for q in MODULI { check(x, w % q, q); }
        }
    }

    #[test]
    fn products_stay_below_the_modulus_at_the_ends() {
        for q in MODULI {
            for w in [0, 1, q / 2 - 1, q / 2, q / 2 + 1, q - 1, (1 << 32) % q] {
                for x in [0, 1, 1 << 31, (1 << 31) - 1, q as i64, MAX_FACTOR - 1, MAX_FACTOR] {
                    check(x, w, q);
                    check(-x, w, q);
                }
            }
        }
    }
}
