//! Roots of unity to the last bit, from additions and products alone.
//!
//! The sine and cosine of the system library may differ between processors and versions; encoded bytes must not. So
//! `cos` and `sin` of `pi k / (4 m)` come from their Taylor series in double-double arithmetic (about 100 bits), on the
//! first octant, and the rest from symmetry.
//! Source: exact sums and products of two doubles: T. J. Dekker, A floating-point technique for extending the available
//! precision, Numerische Mathematik 18 (1971).

/// An unevaluated sum of two doubles, the second below half a unit in the last place of the first.
#[derive(Clone, Copy)]
struct Double(f64, f64);

/// pi to 106 bits: the nearest double and the nearest double to the rest.
const PI: Double = Double(std::f64::consts::PI, 1.224_646_799_147_353_2e-16);

/// Terms of each series: the first one left out is below `(pi/4)^28 / 28! < 2^-105`.
const TERMS: u32 = 14;

impl Double {
    /// `a + b`, for |a| >= |b| or a = 0.
    fn fast_sum(a: f64, b: f64) -> Double {
        let s = a + b;
        Double(s, b - (s - a))
    }

    fn sum(a: f64, b: f64) -> Double {
        let s = a + b;
        let t = s - a;
        Double(s, (a - (s - t)) + (b - t))
    }

    /// `a * b` by splitting both into halves of 26 bits.
    fn product(a: f64, b: f64) -> Double {
        const SPLIT: f64 = 134_217_729.0; // 2^27 + 1
        let halves = |x: f64| {
            let t = SPLIT * x;
            let high = t - (t - x);
            (high, x - high)
        };
        let p = a * b;
        let ((ah, al), (bh, bl)) = (halves(a), halves(b));
        Double(p, ((ah * bh - p) + ah * bl + al * bh) + al * bl)
    }

    fn add(self, y: Double) -> Double {
        let s = Double::sum(self.0, y.0);
        Double::fast_sum(s.0, s.1 + (self.1 + y.1))
    }

    fn mul(self, y: Double) -> Double {
        let p = Double::product(self.0, y.0);
        Double::fast_sum(p.0, p.1 + (self.0 * y.1 + self.1 * y.0))
    }

    fn div(self, d: f64) -> Double {
        let q = self.0 / d;
        let p = Double::product(q, d);
        Double::fast_sum(q, (((self.0 - p.0) - p.1) + self.1) / d)
    }
}

/// `1 - x^2/2! + ..` for `first = 1`, `x - x^3/3! + ..` for `first = x`, where the first divisor is 1 or 2.
fn series(first: Double, square: Double, divisor: u32) -> f64 {
    let (mut term, mut sum) = (first, first);
    for i in 0..TERMS {
        let k = f64::from(divisor + 2 * i);
        let next = term.mul(square).div(k * (k + 1.0));
        term = Double(-next.0, -next.1);
        sum = sum.add(term);
    }
    sum.0
}

/// `exp(i pi k / half_turn)`, `half_turn` a power of two, at most 2^20; real and imaginary part.
pub(super) fn root_of_unity(k: usize, half_turn: usize) -> (f64, f64) {
    debug_assert!(half_turn.is_power_of_two());
    let k = k % (2 * half_turn);
    // exp(-i x) is the conjugate, exp(i (pi - x)) its negative, and x -> pi/2 - x swaps the parts.
    if k > half_turn {
        let (re, im) = root_of_unity(2 * half_turn - k, half_turn);
        return (re, -im);
    }
    if 2 * k > half_turn {
        let (re, im) = root_of_unity(half_turn - k, half_turn);
        return (-re, im);
    }
    if 4 * k > half_turn {
        // Doubling keeps the complement an integer when half_turn is odd in quarters (half_turn = 1).
        let (re, im) = first_octant(half_turn - 2 * k, 2 * half_turn);
        return (im, re);
    }
    first_octant(k, half_turn)
}

fn first_octant(k: usize, half_turn: usize) -> (f64, f64) {
    if k == 0 {
        return (1.0, 0.0);
    }
    // half_turn is a power of two, so the quotient is exact.
    let part = k as f64 / half_turn as f64;
    let x = PI.mul(Double(part, 0.0));
    let square = x.mul(x);
    (series(Double(1.0, 0.0), square, 1), series(x, square, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_library_and_has_every_symmetry() {
        for log in 0..12 {
            let half_turn = 1usize << log;
            for k in 0..2 * half_turn {
                let (re, im) = root_of_unity(k, half_turn);
                let angle = std::f64::consts::PI * k as f64 / half_turn as f64;
                assert!((re - angle.cos()).abs() < 1e-15 && (im - angle.sin()).abs() < 1e-15, "{k} {half_turn}");
                assert_eq!(root_of_unity(2 * k, 2 * half_turn), (re, im));
                assert_eq!(root_of_unity(2 * half_turn - k, half_turn), (re, if k == 0 { 0.0 } else { -im }));
            }
        }
    }

    /// Digits beyond a double on purpose: the compiler rounds them, and ours must round the same.
    #[test]
    #[allow(clippy::excessive_precision, clippy::approx_constant)]
    fn is_the_nearest_double() {
        // cos and sin of pi/8 and pi/4 to 25 digits.
        for (k, half_turn, re, im) in [
            (1, 8, 0.923_879_532_511_286_756_128_183_2, 0.382_683_432_365_089_771_728_460_0),
            (1, 4, 0.707_106_781_186_547_524_400_844_4, 0.707_106_781_186_547_524_400_844_4),
            (1, 16, 0.980_785_280_403_230_449_126_182_2, 0.195_090_322_016_128_267_848_284_9),
            (1, 2, 0.0, 1.0),
        ] {
            assert_eq!(root_of_unity(k, half_turn), (re, im));
        }
    }

    /// `|w|^2 = 1` to about 2^-100 when the parts are carried as double-doubles would be: rounding leaves 2^-53.
    #[test]
    fn lies_on_the_circle() {
        for k in 0..4096 {
            let (re, im) = root_of_unity(k, 8192);
            let (a, b) = (Double::product(re, re), Double::product(im, im));
            let norm = a.add(b);
            assert!(((norm.0 - 1.0) + norm.1).abs() < 2.0 * f64::EPSILON, "{k}");
        }
    }
}
