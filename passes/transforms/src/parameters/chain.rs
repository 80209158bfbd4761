//! From bit sizes to a modulus chain whose scales follow its primes.
//!
//! Where products read at level l, q_l is the NTT prime nearest to S_l / 2^boost, so S_(l-1) = S_l^2 / q_l follows the primes; a fixed list of
//! primes would let the difference double at every level. Where only linear maps read, the weights' scale is chosen to bring S_(l-1)
//! back to the target exactly, and q_l has the size that this takes.
//!
//! A boost lets messages stand higher than the primes that products are rescaled by, at no cost in primes: rounding errors are the same integers
//! whatever the scale, and upper levels have room. It needs a level of linear maps below each product, which takes it back.

use he_params::primes::{Side, nearest_ntt_prime, ntt_primes_except};
use he_params::{LogN, ParamsError, RingShape, Scale};

use crate::lowering::{Circuit, Gate};
use crate::placement::{Chain, Levels, Management};

/// Residues of primes below this stand in 32-bit words.
pub(super) const WORD_32_BITS: u8 = 30;

/// Bit sizes that a chain is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Bits of the primes that products are rescaled by.
    pub(super) scale_bits: u8,
    /// log2 of the scale of weights, where only linear maps read.
    pub(super) weight_bits: u8,
    /// Bits by which the scale of messages exceeds `scale_bits`.
    pub(super) boost: u8,
}

/// What a chain must hold, from the circuit and its ranges.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Needs {
    /// For each level whether products read there.
    product_levels: Vec<bool>,
    /// Largest magnitude among values at level 0 that are rescaled to it, if any.
    settled_magnitude: Option<f64>,
    /// Largest magnitude among outputs of linear maps, which stay at level 1; `None` without any.
    free_magnitude: Option<f64>,
    /// Largest weight of a linear map that makes an output.
    free_weight: f64,
    /// Whether anything is relinearized.
    pub(super) products: bool,
    /// Whether that and the rescale behind it are one operation.
    pub(super) fused: bool,
}

/// log2 of the largest weight. The matrix product takes weights in planes of [`PLANE_BITS`](crate::cost::PLANE_BITS) bits and sums each in `f64`,
/// exact to 53 bits, in segments short enough: any weight can be multiplied, and each plane costs one pass. Two planes hold the weights of 32-bit
/// words, three those of larger ones.
fn max_weight_bits(limit_bits: u8) -> f64 {
    if limit_bits <= WORD_32_BITS { 26.0 } else { 40.0 }
}

/// Bits left between a bound and half its modulus.
const HEADROOM_BITS: f64 = 1.0;

impl Needs {
    pub(super) fn of(circuit: &Circuit, magnitudes: &[f64], fused: bool) -> Needs {
        let required = circuit.required_levels();
        let free: Vec<usize> = circuit.linear_outputs().collect();
        let settled = (0..circuit.nodes.len()).filter(|i| required[*i] == 0 && !free.contains(i));
        let product = |gate: &Gate| matches!(gate, Gate::Mul | Gate::Square);
        let weights = free.iter().filter_map(|&i| match &circuit.nodes[i].gate {
            Gate::Linear(map) => Some(map),
            _ => None,
        });
        Needs {
            product_levels: circuit.product_levels(),
            settled_magnitude: settled.map(|i| magnitudes[i]).reduce(f64::max),
            free_magnitude: free.iter().map(|&i| magnitudes[i]).reduce(f64::max),
            free_weight: weights.flat_map(|m| m.blocks()).flat_map(|b| b.weights()).fold(0.0, |m, w| w.abs().max(m)),
            products: circuit.nodes.iter().any(|n| product(&n.gate)),
            fused: fused && circuit.multiplies(),
        }
    }

    /// Whether a level of linear maps stands below each level of products.
    pub(super) fn allows_boost(&self) -> bool {
        let adjacent = self.product_levels.windows(2).any(|pair| pair == [true, true]);
        !adjacent && self.product_levels.get(1) != Some(&true)
    }

    /// Whether level 1 serves outputs of linear maps and nothing else, so that its prime only has to hold them.
    fn level_one_is_free(&self) -> bool {
        self.settled_magnitude.is_none() && self.product_levels.get(1) == Some(&false)
    }
}

/// A chain of these sizes.
pub(super) fn build(needs: &Needs, shape: RingShape, sizes: Sizes) -> Result<Chain, ParamsError> {
    let log_n = shape.cyclotomic();
    let limit_bits = sizes.scale_bits.max(WORD_32_BITS);
    // Just below the word's limit leaves room for primes on both sides.
    let log_prime = match sizes.scale_bits {
        WORD_32_BITS => f64::from(WORD_32_BITS) - 0.03,
        bits => f64::from(bits),
    };
    let boost = f64::from(sizes.boost);
    let log_target = log_prime + boost;
    let depth = needs.product_levels.len() - 1;
    let mut taken: Vec<u64> = Vec::new();
    let mut q = vec![0; depth + 1];
    let mut weight_scales = vec![None; depth + 1];
    let products_first = needs.product_levels.last() == Some(&true);
    let input_scale = Scale::from_log2(if products_first { log_target } else { log_target + boost })?;
    let mut scale = input_scale.get();
    for level in (1..=depth).rev() {
        let free = level == 1 && needs.level_one_is_free();
        let prime = if needs.product_levels[level] {
            near(scale / boost.exp2(), limit_bits, log_n, &taken)?
        } else if free {
            one_prime(limit_bits, log_n, &taken)?
        } else {
            let bits = f64::from(sizes.weight_bits) + scale.log2() - log_target;
            let bits = (bits.round().max(0.0) as u8).max(log_n.get() + 4);
            if bits > limit_bits {
                return Err(ParamsError::PrimeBits { bits, log_n, min: log_n.get() + 4, max: limit_bits });
            }
            one_prime(bits, log_n, &taken)?
        };
        taken.push(prime);
        q[level] = prime;
        if needs.product_levels[level] {
            scale = scale * scale / prime as f64;
        } else if free {
            // Nothing is rescaled by this prime.
            scale = 1.0;
        } else {
            let weight_scale = Scale::new(log_target.exp2() * prime as f64 / scale)?;
            weight_scales[level] = Some(weight_scale);
            scale = scale * weight_scale.get() / prime as f64;
        }
    }
    let settled_bits = needs.settled_magnitude.map(|m| (scale * m).log2() + 1.0 + HEADROOM_BITS);
    let base_bits = match settled_bits {
        Some(bits) => (bits.ceil().max(0.0) as u8).max(if needs.free_magnitude.is_some() { limit_bits } else { 0 }),
        None => limit_bits,
    };
    q[0] = one_prime(base_bits.max(log_n.get() + 4), log_n, &taken)?;
    taken.push(q[0]);
    let largest_bits = taken.iter().map(|q| q.ilog2() as u8 + 1).max().unwrap_or(limit_bits);
    let p = if needs.products { vec![one_prime(largest_bits, log_n, &taken)?] } else { vec![] };
    levelled(needs, Levels { weight_scales, ..Levels::default() }, shape, q, p, input_scale)
}

/// The largest weight scale with which outputs of linear maps fit q_0 q_1 at level 1.
fn output_weight_scale(needs: &Needs, levels: &Levels, chain: &Chain) -> Result<Option<Scale>, ParamsError> {
    let (Some(magnitude), &[q0, q1, ..]) = (needs.free_magnitude, chain.q.as_slice()) else { return Ok(None) };
    let Some(operand_scale) = levels.scales(chain)?.get(1).copied() else { return Ok(None) };
    let room = (q0 as f64).log2() + (q1 as f64).log2() - 1.0 - HEADROOM_BITS - operand_scale.log2();
    let by_magnitude = room - magnitude.max(f64::MIN_POSITIVE).log2();
    let widest = chain.q.iter().map(|q| q.ilog2() as u8 + 1).max().unwrap_or(WORD_32_BITS);
    let by_weights = max_weight_bits(widest) - needs.free_weight.max(f64::MIN_POSITIVE).log2();
    Ok(Some(Scale::from_log2(by_magnitude.min(by_weights).floor())?))
}

fn one_prime(bits: u8, log_n: LogN, taken: &[u64]) -> Result<u64, ParamsError> {
    let found = ntt_primes_except(bits, log_n, 1, taken)?;
    found.first().copied().ok_or(ParamsError::PrimesExhausted { bits, log_n, found: 0, wanted: 1 })
}

/// The prime nearest to `scale`, of at most `limit_bits` bits.
fn near(scale: f64, limit_bits: u8, log_n: LogN, taken: &[u64]) -> Result<u64, ParamsError> {
    let fits = |prime: &u64| prime >> limit_bits == 0;
    let target = scale.round() as u64;
    nearest_ntt_prime(target, log_n, Side::Either, taken)
        .filter(fits)
        .or_else(|| nearest_ntt_prime(target, log_n, Side::Below, taken).filter(fits))
        .ok_or(ParamsError::PrimesExhausted { bits: limit_bits, log_n, found: 0, wanted: 1 })
}

/// The chain of given parameters, its lowest `depth + 1` primes: weight scales bring every level without products back to the default scale.
pub(super) fn of_params(
    needs: &Needs,
    q: &[u64],
    p: &[u64],
    shape: RingShape,
    scale: Scale,
) -> Result<Chain, ParamsError> {
    let depth = needs.product_levels.len() - 1;
    let q = q[..q.len().min(depth + 1)].to_vec();
    let mut weight_scales = vec![None; q.len()];
    let mut current = scale.get();
    for level in (1..q.len()).rev() {
        let prime = q[level] as f64;
        if needs.product_levels[level] {
            current = current * current / prime;
        } else {
            let weight_scale = scale.get() * prime / current;
            weight_scales[level] = Some(Scale::new(weight_scale)?);
            current = current * weight_scale / prime;
        }
    }
    levelled(needs, Levels { weight_scales, ..Levels::default() }, shape, q, p.to_vec(), scale)
}

/// The chain with these levels, and the output weights' scale that it has room for.
fn levelled(
    needs: &Needs,
    mut levels: Levels,
    shape: RingShape,
    q: Vec<u64>,
    p: Vec<u64>,
    input_scale: Scale,
) -> Result<Chain, ParamsError> {
    let management = Management::Levelled(Levels::default());
    let mut chain = Chain { shape, q, p, input_scale, fused: needs.fused, management };
    levels.output_weight_scale = output_weight_scale(needs, &levels, &chain)?;
    chain.management = Management::Levelled(levels);
    Ok(chain)
}
