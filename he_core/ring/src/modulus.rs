//! Arithmetic modulo one prime in one word: Barrett for general products, Shoup for products with a known factor.
//!
//! Barrett, with `k` the bit length of `q`, `L = BITS`: everything is shifted up by `s = L-2-k`, so that no shift of a
//! double word depends on q. `Q = q*2^s < 2^(L-2)`, `p = (a*2^s)*b < 2^(2L-4)`,
//! `e = floor(floor(p / 2^(L-4)) * floor(2^(2L-3) / Q) / 2^(L+1))`, then `p - e*Q` lies in `[0, 2Q)`: both truncations
//! cost at most 1/2 each and the last one less than 1. Both factors of the estimate fit a word.
//! Shoup: `w' = floor(w * 2^BITS / q)`, `x*w - floor(x*w' / 2^BITS) * q` lies in `[0, 2q)` for any word `x`.
//! Source: \[Har14\].

use crate::{RingError, Word};

/// A modulus with its constants. Values are in `[0, q)` unless a name says `_lazy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modulus<W: Word> {
    q: W,
    /// `floor(2^(2L-3) / Q)`.
    barrett: W,
    /// `s = L-2-k`.
    shift: u32,
    /// `floor(2^BITS / q)`: the Shoup quotient of 1.
    ratio: W,
    /// `2^BITS mod q`.
    radix: ShoupFactor<W>,
}

/// A factor below `q` with its Shoup quotient `floor(value * 2^BITS / q)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShoupFactor<W> {
    value: W,
    quotient: W,
}

impl<W: Word> ShoupFactor<W> {
    /// The factor itself.
    #[inline(always)]
    pub fn value(self) -> W {
        self.value
    }

    /// The precomputed quotient.
    #[inline(always)]
    pub fn quotient(self) -> W {
        self.quotient
    }
}

impl<W: Word> Modulus<W> {
    /// Takes an odd modulus of 3 to [`Word::MAX_MODULUS_BITS`] bits; primality is the caller's business.
    ///
    /// # Errors
    /// [`RingError::ModulusTooLarge`] when `q` does not suit the word, [`RingError::NotPrime`] when it is even or below 5.
    pub fn new(q: u64) -> Result<Self, RingError> {
        let bits = u64::BITS - q.leading_zeros();
        if bits > W::MAX_MODULUS_BITS {
            return Err(RingError::ModulusTooLarge { q, bits });
        }
        if q < 5 || q.is_multiple_of(2) {
            return Err(RingError::NotPrime { q });
        }
        let wide = u128::from(q);
        let radix = (1u128 << W::BITS) % wide;
        Ok(Self {
            q: W::from_u64(q),
            // 2^(2L-3) / (q * 2^(L-2-k)).
            barrett: W::from_u64(((1u128 << (W::BITS + bits - 1)) / wide) as u64),
            shift: W::BITS - 2 - bits,
            ratio: W::from_u64(((1u128 << W::BITS) / wide) as u64),
            radix: ShoupFactor {
                value: W::from_u64(radix as u64),
                quotient: W::from_u64(((radix << W::BITS) / wide) as u64),
            },
        })
    }

    /// The modulus.
    #[inline(always)]
    pub fn value(self) -> W {
        self.q
    }

    /// The modulus as `u64`.
    #[inline(always)]
    pub fn to_u64(self) -> u64 {
        self.q.to_u64()
    }

    /// Twice the modulus.
    #[inline(always)]
    pub fn twice(self) -> W {
        self.q.wrapping_add(self.q)
    }

    /// `x` from `[0, 2q)` to `[0, q)`.
    #[inline(always)]
    pub fn reduce_once(self, x: W) -> W {
        debug_assert!(x < self.twice());
        x.min(x.wrapping_sub(self.q))
    }

    /// `x` from `[0, 4q)` to `[0, 2q)`.
    #[inline(always)]
    pub fn reduce_4q_lazy(self, x: W) -> W {
        debug_assert!(x.wrapping_sub(self.twice()) < self.twice() || x < self.twice());
        x.min(x.wrapping_sub(self.twice()))
    }

    /// Any word to `[0, q)`.
    #[inline(always)]
    pub fn reduce(self, x: W) -> W {
        let estimate = x.mul_hi(self.ratio);
        self.reduce_once(x.wrapping_sub(estimate.wrapping_mul(self.q)))
    }

    /// Any `u64` to `[0, q)`.
    #[inline(always)]
    pub fn reduce_u64(self, x: u64) -> W {
        let low = W::from_u64(x & (u64::MAX >> (u64::BITS - W::BITS)));
        if W::BITS == u64::BITS {
            return self.reduce(low);
        }
        let high = W::from_u64(x >> (W::BITS % u64::BITS));
        self.add(self.mul_shoup(high, self.radix), self.reduce(low))
    }

    /// Any `u128` to `[0, q)`.
    #[inline]
    pub fn reduce_u128(self, x: u128) -> W {
        let (mut r, mut shift) = (W::default(), u128::BITS);
        while shift > 0 {
            shift -= W::BITS;
            let digit = W::from_u64((x >> shift) as u64 & (u64::MAX >> (u64::BITS - W::BITS)));
            r = self.add(self.mul_shoup(r, self.radix), self.reduce(digit));
        }
        r
    }

    /// Any signed integer to `[0, q)`.
    #[inline]
    pub fn reduce_i128(self, x: i128) -> W {
        let r = self.reduce_u128(x.unsigned_abs());
        if x < 0 { self.neg(r) } else { r }
    }

    /// Any signed integer to `[0, q)`.
    #[inline(always)]
    pub fn reduce_i64(self, x: i64) -> W {
        let r = self.reduce_u64(x.unsigned_abs());
        if x < 0 { self.neg(r) } else { r }
    }

    /// `a + b mod q`.
    #[inline(always)]
    pub fn add(self, a: W, b: W) -> W {
        debug_assert!(a < self.q && b < self.q);
        self.reduce_once(a.wrapping_add(b))
    }

    /// `a - b mod q`.
    #[inline(always)]
    pub fn sub(self, a: W, b: W) -> W {
        debug_assert!(a < self.q && b < self.q);
        let d = a.wrapping_sub(b);
        d.min(d.wrapping_add(self.q))
    }

    /// `-a mod q`.
    #[inline(always)]
    pub fn neg(self, a: W) -> W {
        self.sub(W::default(), a)
    }

    /// `a * b mod q` (Barrett).
    #[inline(always)]
    pub fn mul(self, a: W, b: W) -> W {
        debug_assert!(a < self.q && b < self.q);
        self.reduce_shifted(a.shift_up(self.shift).mul_wide(b))
    }

    /// `a * b + c mod q`; `(q-1)^2 + (q-1) < q^2`, so one Barrett step suffices.
    #[inline(always)]
    pub fn mul_add(self, a: W, b: W, c: W) -> W {
        debug_assert!(a < self.q && b < self.q && c < self.q);
        self.reduce_shifted(W::wide_add(a.shift_up(self.shift).mul_wide(b), c.shift_up(self.shift)))
    }

    /// Any wide value to `[0, q)`.
    #[inline(always)]
    pub(crate) fn reduce_wide(self, p: W::Wide) -> W {
        let high = self.mul_shoup(W::shift_down(p, W::BITS), self.radix);
        self.add(high, self.reduce(W::shift_down(p, 0)))
    }

    /// `x` from `x * 2^s`, `x < q^2`, to `[0, q)`.
    #[inline(always)]
    fn reduce_shifted(self, p: W::Wide) -> W {
        let q = self.q.shift_up(self.shift);
        let top = W::shift_down(p, W::BITS - 4);
        let estimate = W::shift_down(top.mul_wide(self.barrett), W::BITS + 1);
        let r = W::shift_down(p, 0).wrapping_sub(estimate.wrapping_mul(q));
        r.min(r.wrapping_sub(q)).shift_right(self.shift)
    }

    /// The bit length `k` of q.
    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        W::BITS - 2 - self.shift
    }

    /// `floor(2^(2L-3) / Q) = floor(2^(L-1+k) / q)`: vectors derive theirs from it.
    #[inline(always)]
    pub(crate) fn barrett(self) -> W {
        self.barrett
    }

    /// The Shoup form of `w < q`.
    #[inline]
    pub fn shoup(self, w: W) -> ShoupFactor<W> {
        debug_assert!(w < self.q);
        let quotient = (u128::from(w.to_u64()) << W::BITS) / u128::from(self.q.to_u64());
        ShoupFactor { value: w, quotient: W::from_u64(quotient as u64) }
    }

    /// A Shoup factor whose quotient a table already holds.
    #[inline(always)]
    pub(crate) fn shoup_from_parts(self, value: W, quotient: W) -> ShoupFactor<W> {
        debug_assert!(self.shoup(value).quotient == quotient);
        ShoupFactor { value, quotient }
    }

    /// `x * w mod q`, left lazy: any word `x`, result in `[0, 2q)`.
    #[inline(always)]
    pub fn mul_shoup_lazy(self, x: W, w: ShoupFactor<W>) -> W {
        let r = x.wrapping_mul(w.value).wrapping_sub(x.mul_hi(w.quotient).wrapping_mul(self.q));
        debug_assert!(r < self.twice());
        r
    }

    /// `x * w mod q` for any word `x`.
    #[inline(always)]
    pub fn mul_shoup(self, x: W, w: ShoupFactor<W>) -> W {
        self.reduce_once(self.mul_shoup_lazy(x, w))
    }

    /// `a^e mod q`.
    pub fn pow_vartime(self, a: W, mut e: u64) -> W {
        let (mut r, mut square) = (self.reduce(W::from_u64(1)), a);
        while e > 0 {
            if e & 1 == 1 {
                r = self.mul(r, square);
            }
            square = self.mul(square, square);
            e >>= 1;
        }
        r
    }

    /// `a^-1 mod q` for prime `q` and `a != 0` (Fermat).
    pub fn inverse_vartime(self, a: W) -> W {
        debug_assert!(a != W::default());
        self.pow_vartime(a, self.q.to_u64() - 2)
    }

    /// `2^BITS mod q`.
    #[inline(always)]
    pub fn radix(self) -> ShoupFactor<W> {
        self.radix
    }

    /// `floor(2^BITS / q)`.
    #[inline(always)]
    pub fn ratio(self) -> W {
        self.ratio
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Moduli (not all prime) on both sides of every threshold.
    const U32: [u64; 6] = [5, 17, 257, (1 << 29) - 1, (1 << 29) + 1, (1 << 30) - 1];
    const U64: [u64; 6] = [5, 257, (1 << 30) + 1, (1 << 50) - 1, (1 << 60) + 1, (1 << 61) - 1];

    fn check<W: Word>(q: u64, x: u64, y: u64, z: u64, s: i128) {
        let m = Modulus::<W>::new(q).unwrap();
        let (a, b, c) = (W::from_u64(x % q), W::from_u64(y % q), W::from_u64(z % q));
        let (wa, wb, wc, wq) = (u128::from(x % q), u128::from(y % q), u128::from(z % q), u128::from(q));
        let is = |r: W, want: u128| assert_eq!(u128::from(r.to_u64()), want % wq, "q={q}");
        is(m.add(a, b), wa + wb);
        is(m.sub(a, b), wq + wa - wb);
        is(m.neg(a), wq - wa);
        is(m.mul(a, b), wa * wb);
        is(m.mul_add(a, b, c), wa * wb + wc);
        is(m.reduce_u64(x), u128::from(x));
        is(m.reduce_u128(s as u128), s as u128);
        assert_eq!(i128::from(m.reduce_i128(s).to_u64()), s.rem_euclid(q as i128));
        assert_eq!(i128::from(m.reduce_i64(x as i64).to_u64()), i128::from(x as i64).rem_euclid(q as i128));
        let word = W::from_u64(x >> (64 - W::BITS));
        is(m.reduce(word), u128::from(word.to_u64()));
        is(m.mul_shoup(word, m.shoup(b)), u128::from(word.to_u64()) * wb);
    }

    proptest! {
        #[test]
        fn agrees_with_wide_integers(x: u64, y: u64, z: u64, s: i128) {
            for q in U32 { check::<u32>(q, x, y, z, s); }
            for q in U64 { check::<u64>(q, x, y, z, s); }
        }
    }

    #[test]
    fn extremes_stay_exact() {
        for q in U32 {
            check::<u32>(q, q - 1, q - 1, q - 1, i128::MIN + 1);
            check::<u32>(q, u64::MAX, u64::MAX, 0, i128::MAX);
        }
        for q in U64 {
            check::<u64>(q, q - 1, q - 1, q - 1, i128::MIN + 1);
            check::<u64>(q, u64::MAX, u64::MAX, 0, i128::MAX);
        }
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert_eq!(Modulus::<u32>::new(1 << 30), Err(RingError::ModulusTooLarge { q: 1 << 30, bits: 31 }));
        assert_eq!(Modulus::<u64>::new(1 << 61), Err(RingError::ModulusTooLarge { q: 1 << 61, bits: 62 }));
        assert_eq!(Modulus::<u64>::new(100), Err(RingError::NotPrime { q: 100 }));
        assert_eq!(Modulus::<u64>::new(3), Err(RingError::NotPrime { q: 3 }));
    }
}
