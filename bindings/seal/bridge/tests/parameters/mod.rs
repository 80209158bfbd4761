//! The parameters of the tests: three degrees, four chains, made ready on both sides.

#![allow(dead_code, reason = "each test file uses a part")]

use std::sync::Arc;

use he_ckks::{CiphertextTensor, CkksContext};
use he_params::noise::{Digit, Encryption, Noise, NoiseModel};
use he_params::{CkksParams, CkksParamsLiteral, LogN, ModulusChain, RequiredSecurity, Scale};
use he_ring::{Eval, RnsTensor, RnsView};
use seal_bridge::{Context, Security};

/// Bits of the primes, the special one last, and of the scale.
pub(crate) struct Chain {
    pub(crate) name: &'static str,
    pub(crate) bits: &'static [u8],
    pub(crate) log_scale: f64,
}

/// The names say what the chains are; `N13_L7` is HE-Transformer's for CryptoNets.
pub(crate) const CHAINS: [Chain; 4] = [
    Chain { name: "7x30", bits: &[30; 7], log_scale: 29.0 },
    Chain { name: "60_3x40_60", bits: &[60, 40, 40, 40, 60], log_scale: 40.0 },
    Chain { name: "36_36_37", bits: &[36, 36, 37], log_scale: 30.0 },
    Chain { name: "N13_L7", bits: &[30, 24, 24, 24, 24, 24, 30], log_scale: 24.0 },
];

pub(crate) const DEGREES: [u8; 3] = [12, 13, 14];

/// One set of parameters on both sides.
pub(crate) struct Both {
    pub(crate) name: String,
    pub(crate) log_n: LogN,
    pub(crate) scale: Scale,
    pub(crate) henge: Arc<CkksContext>,
    pub(crate) seal: Context,
}

impl Both {
    pub(crate) fn new(log_n: u8, chain: &Chain) -> Both {
        let (special, q) = chain.bits.split_last().unwrap();
        let bits = |bits: &[u8]| ModulusChain::Bits(bits.to_vec());
        let mut literal = CkksParamsLiteral::new(log_n, bits(q), bits(&[*special]), chain.log_scale);
        // Some chains are too long for the smaller degrees; what is tested is arithmetic.
        literal.security = RequiredSecurity::Insecure;
        let params = CkksParams::try_from(literal).unwrap();
        let primes = [params.q(), params.p()].concat();
        Both {
            name: format!("N = 2^{log_n}, {}", chain.name),
            log_n: params.log_n(),
            scale: params.scale(),
            seal: Context::new(params.log_n(), &primes, Security::None).unwrap(),
            henge: CkksContext::new(params).unwrap(),
        }
    }

    /// Every degree with every chain.
    pub(crate) fn all() -> impl Iterator<Item = Both> {
        DEGREES.into_iter().flat_map(|log_n| CHAINS.iter().map(move |chain| Both::new(log_n, chain)))
    }

    /// The noise of a fresh message, which both libraries make alike.
    pub(crate) fn fresh(&self, encryption: Encryption) -> Noise {
        self.noise().fresh(encryption, self.log_p())
    }

    /// The noise that one switch of keys at the top level adds.
    pub(crate) fn key_switch(&self) -> Noise {
        self.noise().key_switch(&Digit::of(self.henge.params().q(), 1), self.log_p())
    }

    pub(crate) fn noise(&self) -> NoiseModel {
        NoiseModel::of(self.henge.params())
    }

    fn log_p(&self) -> f64 {
        self.henge.params().p().iter().map(|&p| (p as f64).log2()).sum()
    }

    /// Bits that the root mean square error of a slot leaves of a message at this scale.
    pub(crate) fn rms_bits(&self, noise: Noise, scale: f64) -> f64 {
        (scale / noise.slot_std(self.log_n)).log2()
    }

    /// Henge's ciphertext, of one value, for SEAL.
    pub(crate) fn to_seal(&self, x: &CiphertextTensor) -> seal_bridge::Ciphertext {
        let words = words(x.rows());
        seal_bridge::Ciphertext::from_words(&self.seal, &words, x.component_count(), x.level(), x.scale()).unwrap()
    }

    /// SEAL's ciphertext for Henge.
    pub(crate) fn to_henge(&self, x: &seal_bridge::Ciphertext) -> CiphertextTensor {
        let (level, components) = (x.level().unwrap(), x.component_count());
        let rows = self.rows(x.words(), components, self.henge.rlwe().limbs_at(level).unwrap());
        CiphertextTensor::from_rows(&self.henge, rows, components, x.scale().unwrap()).unwrap()
    }

    /// `[row][prime][N]` as rows over some of the primes.
    pub(crate) fn rows(&self, words: &[u64], rows: usize, limbs: &[usize]) -> RnsTensor<Eval> {
        let n = self.log_n.n();
        let mut tensor = self.henge.ring().zero(rows, limbs).unwrap();
        for (index, words) in words.chunks(n).enumerate() {
            tensor.set_row_from_u64(index % limbs.len(), index / limbs.len(), words.iter().copied()).unwrap();
        }
        tensor
    }
}

/// How far below the bits of theory a measurement may stay. The mean of unsigned digits gathers in one slot, with most of the noise of a switch of keys:
/// its square is 16 times what it is on average once in 10^11.
pub(crate) const MARGIN_BITS: f64 = 2.0;

/// The same where no key is switched: thousands of slots, each with its own noise, hardly differ in the mean.
pub(crate) const SPREAD_BITS: f64 = 0.3;

/// Rows as SEAL orders words: `[row][prime][N]`.
pub(crate) fn words<'a>(rows: impl Into<RnsView<'a, Eval>>) -> Vec<u64> {
    let rows = rows.into();
    let limbs = rows.limb_indices().len();
    (0..rows.rows()).flat_map(|row| (0..limbs).flat_map(move |limb| rows.row(limb, row).iter())).collect()
}

/// Numbers in [-1, 1) that look random: the top bits of a linear congruence.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
