//! The polynomial that differs least from a function on a range, by its largest deviation.
//!
//! Lawson's method: least squares on a grid, again and again, each point weighted with its weight so far times its deviation; the weights gather
//! where the largest deviations are. Source: C. L. Lawson, Contributions to the theory of linear least maximum approximation, 1961.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Points on the range.
const POINTS: usize = 401;
/// Times that weights are set.
const TRIALS: usize = 200;
/// A term that gives less than this part of the largest one is rounding.
const NEGLIGIBLE: f64 = 1e-9;
/// Coefficients at the most.
const MOST: usize = 4;

/// A polynomial in the place of a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// Constant first.
    pub coefficients: Vec<f64>,
    /// It was fitted to magnitudes up to this.
    pub range: f64,
    /// Largest deviation from the function there.
    pub deviation: f64,
}

impl Polynomial {
    /// A polynomial of degree 3 at most that is near a function of magnitudes up to `range`.
    pub fn fit(function: impl Fn(f64) -> f64, range: f64, degree: usize) -> Polynomial {
        let range = if range > 0.0 { range } else { 1.0 };
        let terms = degree.min(MOST - 1) + 1;
        let at = |i: usize| 2.0 * i as f64 / (POINTS - 1) as f64 - 1.0;
        let rows: Vec<([f64; MOST], f64)> = (0..POINTS).map(|i| (chebyshev(at(i)), function(range * at(i)))).collect();
        let mut weights = vec![1.0; POINTS];
        let mut best: Option<(f64, [f64; MOST])> = None;
        for _ in 0..TRIALS {
            let Some(found) = least_squares(&rows, &weights, terms) else { break };
            let deviations = rows.iter().map(|(t, y)| (dot(&found, t) - y).abs());
            let deviations: Vec<f64> = deviations.collect();
            let largest = deviations.iter().copied().fold(0.0, f64::max);
            if best.is_none_or(|(least, _)| largest < least) {
                best = Some((largest, found));
            }
            let sum: f64 = weights.iter().zip(&deviations).map(|(w, d)| w * d).sum();
            if !(sum > 0.0 && sum.is_finite()) {
                break;
            }
            weights.iter_mut().zip(&deviations).for_each(|(w, d)| *w *= d / sum);
        }
        let [a0, a1, a2, a3] = best.map_or([0.0; MOST], |(_, found)| found);
        // Chebyshev's polynomials written out, of x / range.
        let mut powers = [a0 - a2, a1 - 3.0 * a3, 2.0 * a2, 4.0 * a3];
        let largest = powers.iter().fold(0.0f64, |m, c| m.max(c.abs()));
        powers.iter_mut().filter(|c| c.abs() <= NEGLIGIBLE * largest).for_each(|c| *c = 0.0);
        let coefficients = (0..terms).map(|k| powers[k] / range.powi(k as i32)).collect();
        let mut fitted = Polynomial { coefficients, range, deviation: 0.0 };
        let between = (0..10 * POINTS).map(|i| range * (2.0 * i as f64 / (10 * POINTS - 1) as f64 - 1.0));
        fitted.deviation = between.map(|x| (fitted.value(x) - function(x)).abs()).fold(0.0, f64::max);
        fitted
    }

    /// The polynomial at `x`.
    pub fn value(&self, x: f64) -> f64 {
        self.coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
    }

    /// Four coefficients, absent ones zero.
    pub(super) fn coefficients(&self) -> [f64; MOST] {
        std::array::from_fn(|k| self.coefficients.get(k).copied().unwrap_or(0.0))
    }

    /// Whether it may have come from [`Polynomial::fit`].
    pub(super) fn is_sound(&self) -> bool {
        self.coefficients.len() <= MOST && self.coefficients.iter().all(|c| c.is_finite()) && self.range > 0.0
    }
}

impl fmt::Display for Polynomial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.coefficients.iter().enumerate().filter(|(_, c)| **c != 0.0);
        let text: Vec<String> = terms
            .map(|(power, c)| match power {
                0 => format!("{c:.6}"),
                1 => format!("{c:.6} x"),
                _ => format!("{c:.6} x^{power}"),
            })
            .collect();
        let text = if text.is_empty() { "0".to_owned() } else { text.join(" + ") };
        write!(f, "{text}, off by at most {:.2e} where |x| <= {:.3}", self.deviation, self.range)
    }
}

/// The first of Chebyshev's polynomials at `t`.
fn chebyshev(t: f64) -> [f64; MOST] {
    [1.0, t, 2.0 * t * t - 1.0, t * (4.0 * t * t - 3.0)]
}

fn dot(a: &[f64; MOST], b: &[f64; MOST]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves the normal equations of the first `terms` columns by elimination; `None` when they have no one solution.
fn least_squares(rows: &[([f64; MOST], f64)], weights: &[f64], terms: usize) -> Option<[f64; MOST]> {
    let mut system = [[0.0; MOST + 1]; MOST];
    for ((t, y), w) in rows.iter().zip(weights) {
        for i in 0..terms {
            (0..terms).for_each(|j| system[i][j] += w * t[i] * t[j]);
            system[i][MOST] += w * t[i] * y;
        }
    }
    for pivot in 0..terms {
        let largest = (pivot..terms).max_by(|&a, &b| system[a][pivot].abs().total_cmp(&system[b][pivot].abs()))?;
        system.swap(pivot, largest);
        if system[pivot][pivot].abs() < f64::MIN_POSITIVE {
            return None;
        }
        let row = system[pivot];
        for (_, other) in system.iter_mut().enumerate().take(terms).filter(|(index, _)| *index != pivot) {
            let factor = other[pivot] / row[pivot];
            other.iter_mut().zip(&row).for_each(|(x, p)| *x -= factor * p);
        }
    }
    let mut found = [0.0; MOST];
    (0..terms).for_each(|k| found[k] = system[k][MOST] / system[k][k]);
    found.iter().all(|x| x.is_finite()).then_some(found)
}
