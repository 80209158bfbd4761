//! How close two vectors are, in bits.

use num_complex::Complex64;

/// Errors of a decoded vector against the expected one, absolute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// Largest magnitude of an error.
    pub largest_error: f64,
    /// Root mean square of the errors.
    pub rms_error: f64,
}

impl Precision {
    /// Compares complex vectors slot by slot, over the shorter of the two.
    pub fn of_complex(expected: &[Complex64], found: &[Complex64]) -> Self {
        Self::of_errors(expected.iter().zip(found).map(|(a, b)| (a.re - b.re).hypot(a.im - b.im)))
    }

    /// Compares real vectors slot by slot, over the shorter of the two.
    pub fn of_real(expected: &[f64], found: &[f64]) -> Self {
        Self::of_errors(expected.iter().zip(found).map(|(a, b)| (a - b).abs()))
    }

    fn of_errors(errors: impl Iterator<Item = f64>) -> Self {
        let (mut count, mut largest, mut squares) = (0u32, 0.0f64, 0.0f64);
        for error in errors {
            count += 1;
            squares += error * error;
            // `max` would forget a NaN.
            largest = if error <= largest || largest.is_nan() { largest } else { error };
        }
        Self { largest_error: largest, rms_error: (squares / f64::from(count.max(1))).sqrt() }
    }

    /// Bits after the point that the worst slot has right: `-log2(largest error)`.
    pub fn worst_bits(self) -> f64 {
        -self.largest_error.log2()
    }

    /// Bits after the point by the root mean square error.
    pub fn rms_bits(self) -> f64 {
        -self.rms_error.log2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_the_logarithm_of_the_error() {
        let p = Precision::of_real(&[1.0, 2.0, -4.0, 0.0], &[1.0, 2.125, -4.0, 0.0]);
        assert_eq!((p.largest_error, p.rms_error), (0.125, 0.0625));
        assert_eq!((p.worst_bits(), p.rms_bits()), (3.0, 4.0));
        let z = Precision::of_complex(&[Complex64::new(0.0, 0.0)], &[Complex64::new(3.0, -4.0)]);
        assert_eq!(z.largest_error, 5.0);
        assert!(Precision::of_real(&[1.0, 0.0], &[f64::NAN, 0.0]).largest_error.is_nan());
        assert_eq!(Precision::of_real(&[], &[]).worst_bits(), f64::INFINITY);
    }
}
