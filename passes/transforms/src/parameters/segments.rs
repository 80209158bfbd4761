//! Primes and scales of a circuit of segments: two primes, of which the lower travels back to the key owner.
//!
//! Fresh ciphertexts stand at level 1 and scale D, weights at scale W, and one rescale by q_1 brings `D W` to S, which values fit at level 0:
//! `S |x| < q_0 / 2`. Of all sizes of q_0 and q_1 that leave the precision asked for, the ones with the fewest bits on the way win: a fresh
//! value travels as `log q_0 + log q_1` bits a slot (its other half is a seed), what goes back as two times `log q_0`.

use he_params::noise::NoiseModel;
use he_params::primes::ntt_primes_except;
use he_params::{ErrorDistribution, ParamsError, RingShape, Scale, SecretDistribution};

use super::chain::WORD_32_BITS;
use crate::cost::PLANE_BITS;
use crate::lowering::Circuit;
use crate::placement::{Chain, Levels, Management};
use crate::ranges::ValueRange;
use crate::segments::Budget;

/// Bits left between the bound on a value and half its modulus.
const HEADROOM_BITS: f64 = 0.5;

/// Bits that a prime may stand below its power of two.
const PRIME_LOSS_BITS: f64 = 0.05;

/// Sizes of two primes, and how scales divide what they hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sizes {
    q0_bits: u8,
    q1_bits: u8,
    /// log2 of the weights' scale.
    weight_bits: u8,
    /// Bits of precision that the budget promises.
    pub(super) precision_bits: f64,
}

/// Whether the circuit is one of segments.
pub(super) fn applies(circuit: &Circuit) -> bool {
    circuit.is_client_aided() && !circuit.multiplies() && circuit.depth() <= 1
}

/// What there is to choose from in a ring.
pub(super) struct Problem {
    budget: Budget,
    shape: RingShape,
}

impl Problem {
    pub(super) fn new(circuit: &Circuit, ranges: &[ValueRange], shape: RingShape) -> Problem {
        let model = NoiseModel::new(shape, SecretDistribution::default(), ErrorDistribution::default());
        Problem { budget: Budget::of(circuit, ranges, &model), shape }
    }

    /// Sizes that leave so much precision, fewest bits on the way first.
    pub(super) fn sizes(&self, precision_bits: f64) -> Vec<Sizes> {
        let least = self.shape.cyclotomic().get() + 4;
        let mut served: Vec<(u32, Sizes)> = Vec::new();
        for q0_bits in least..=WORD_32_BITS {
            for q1_bits in least..=WORD_32_BITS {
                let Some(best) = self.best(q0_bits, q1_bits) else { continue };
                if best.precision_bits >= precision_bits {
                    served.push((3 * u32::from(q0_bits) + u32::from(q1_bits), best));
                }
            }
        }
        served.sort_by(|(a, x), (b, y)| a.cmp(b).then(y.precision_bits.total_cmp(&x.precision_bits)));
        served.into_iter().map(|(_, sizes)| sizes).collect()
    }

    /// The most precision that any sizes leave.
    pub(super) fn most_precise(&self) -> Option<f64> {
        self.best(WORD_32_BITS, WORD_32_BITS).map(|sizes| sizes.precision_bits)
    }

    /// The most precise division of two primes' bits, weights of one pass of the matrix product.
    fn best(&self, q0_bits: u8, q1_bits: u8) -> Option<Sizes> {
        let settled = self.settled_bits(f64::from(q0_bits) - PRIME_LOSS_BITS);
        let product = settled + f64::from(q1_bits) - PRIME_LOSS_BITS;
        let most = (f64::from(PLANE_BITS) - self.budget.weight.log2()).floor().max(1.0) as u8;
        let room = f64::from(q0_bits) + f64::from(q1_bits) - 2.0 * PRIME_LOSS_BITS - 1.0 - HEADROOM_BITS;
        let fits = |weight_bits: &u8| {
            product - f64::from(*weight_bits) + self.budget.fresh.max(f64::MIN_POSITIVE).log2() < room
        };
        let sizes = (1..=most).filter(fits).map(|weight_bits| {
            let fresh = product - f64::from(weight_bits);
            let precision_bits =
                self.budget.precision_bits(fresh.exp2(), f64::from(weight_bits).exp2(), settled.exp2());
            Sizes { q0_bits, q1_bits, weight_bits, precision_bits }
        });
        sizes.max_by(|a, b| a.precision_bits.total_cmp(&b.precision_bits))
    }

    /// log2 of the scale that values fit at level 0.
    fn settled_bits(&self, log_q0: f64) -> f64 {
        log_q0 - 1.0 - HEADROOM_BITS - self.budget.settled.max(f64::MIN_POSITIVE).log2()
    }

    /// The chain of these sizes.
    pub(super) fn chain(&self, sizes: Sizes) -> Result<Chain, ParamsError> {
        let prime = |bits: u8, taken: &[u64]| {
            let log_n = self.shape.cyclotomic();
            let found = ntt_primes_except(bits, log_n, 1, taken)?;
            let none = ParamsError::PrimesExhausted { bits, log_n, found: 0, wanted: 1 };
            found.first().copied().ok_or(none)
        };
        let q0 = prime(sizes.q0_bits, &[])?;
        let q1 = prime(sizes.q1_bits, &[q0])?;
        // Powers of two: a weight of one stays exactly one, which is how a sum brings its operands to one scale.
        let weights = Scale::from_log2(f64::from(sizes.weight_bits))?;
        let settled = Scale::from_log2(self.settled_bits((q0 as f64).log2()))?;
        let fresh = Scale::new(settled.get() * q1 as f64 / weights.get())?;
        let levels = Levels { weight_scales: vec![None, Some(weights)], ..Levels::default() };
        let management = Management::Levelled(levels);
        Ok(Chain { shape: self.shape, q: vec![q0, q1], p: vec![], input_scale: fresh, fused: false, management })
    }
}
