//! Parameters and messages for tests; a failing run prints its seed, `HENGE_TEST_SEED` replays it.

use std::sync::Arc;

use he_ckks::{CiphertextTensor, CkksContext, Complex64, Encoder, Evaluator, Isa, Plaintext, Seed};
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, RequiredSecurity, RingType, Scale};
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};

/// Everything for one set of parameters.
pub(crate) struct Setup {
    pub(crate) context: Arc<CkksContext>,
    pub(crate) encoder: Encoder,
    pub(crate) evaluator: Evaluator,
    pub(crate) secret: SecretKey,
    pub(crate) seed: u64,
}

/// The seed of this run.
pub(crate) fn test_seed() -> u64 {
    let seed = std::env::var("HENGE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_260_101);
    println!("HENGE_TEST_SEED={seed}");
    seed
}

/// A seed from the number of this run and one of the test's own.
pub(crate) fn seed(run: u64, nth: u64) -> Seed {
    let mut bytes = [0u8; 32];
    bytes[..8].copy_from_slice(&run.to_le_bytes());
    bytes[8..16].copy_from_slice(&nth.to_le_bytes());
    Seed::new(bytes)
}

/// Numbers without structure in [-1, 1).
pub(crate) fn numbers(len: usize, run: u64, nth: u64) -> Vec<f64> {
    let mut state = run ^ nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x0123_4567_89ab_cdef;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / 52f64.exp2() - 1.0
    };
    (0..len + 8).map(|_| next()).skip(8).collect()
}

pub(crate) fn complex_numbers(len: usize, run: u64, nth: u64) -> Vec<Complex64> {
    let parts = numbers(2 * len, run, nth);
    parts.chunks_exact(2).map(|z| Complex64::new(z[0], z[1])).collect()
}

/// Insecure parameters, small enough for tests.
pub(crate) fn literal(log_n: u8, q: &[u8], p: &[u8], log_scale: f64, primes_per_digit: u8) -> CkksParamsLiteral {
    CkksParamsLiteral {
        primes_per_digit,
        security: RequiredSecurity::Insecure,
        ..CkksParamsLiteral::new(log_n, ModulusChain::Bits(q.to_vec()), ModulusChain::Bits(p.to_vec()), log_scale)
    }
}

/// The same in the conjugate-invariant ring.
pub(crate) fn conjugate_invariant(literal: CkksParamsLiteral) -> CkksParamsLiteral {
    CkksParamsLiteral { ring: RingType::ConjugateInvariant, ..literal }
}

/// Both rings, both word widths, one and several special primes, one and several primes to a digit, N = 2^10 .. 2^13; up to the degree
/// that `HENGE_TEST_LOG_N` says, which the log then tells (an emulated processor is a hundred times slower).
pub(crate) fn literals() -> Vec<CkksParamsLiteral> {
    let mut all = vec![
        literal(10, &[30, 28, 28], &[30], 26.0, 1),
        literal(10, &[60, 40, 40], &[60], 38.0, 1),
        literal(11, &[45, 30, 58, 28], &[60], 28.0, 1),
        literal(11, &[30, 30, 29, 29, 29], &[30, 30], 28.0, 2),
        literal(12, &[50, 30, 40, 30, 40], &[60, 60], 29.0, 3),
        literal(13, &[30, 29, 29, 29, 29, 29], &[30], 28.0, 1),
        conjugate_invariant(literal(10, &[30, 28, 28], &[30], 26.0, 1)),
        conjugate_invariant(literal(11, &[45, 30, 58, 28], &[60], 28.0, 1)),
        conjugate_invariant(literal(12, &[30, 30, 29, 29, 29], &[30, 30], 28.0, 2)),
    ];
    if let Ok(text) = std::env::var("HENGE_TEST_LOG_N") {
        let largest: u8 = text.parse().unwrap();
        all.retain(|literal| literal.log_n <= largest);
        println!("degrees up to 2^{largest}: {} sets of parameters", all.len());
        assert!(!all.is_empty(), "no set of parameters has such a degree");
    }
    all
}

fn real_parts(messages: &[Vec<Complex64>]) -> Vec<Vec<f64>> {
    messages.iter().map(|message| message.iter().map(|z| z.re).collect()).collect()
}

impl Setup {
    pub(crate) fn new(literal: CkksParamsLiteral) -> Self {
        Self::with_isa(literal, Isa::best().unwrap())
    }

    pub(crate) fn with_isa(literal: CkksParamsLiteral, isa: Isa) -> Self {
        Self::with_run(literal, isa, test_seed())
    }

    pub(crate) fn with_run(literal: CkksParamsLiteral, isa: Isa, run: u64) -> Self {
        let context = CkksContext::with_isa(CkksParams::try_from(literal).unwrap(), isa).unwrap();
        let secret = SecretKey::generate(&context, &seed(run, 1)).unwrap();
        Self { encoder: Encoder::new(&context), evaluator: Evaluator::new(&context), context, secret, seed: run }
    }

    pub(crate) fn scale(&self) -> Scale {
        self.context.params().scale()
    }

    pub(crate) fn top(&self) -> Level {
        self.context.params().max_level()
    }

    pub(crate) fn slots(&self) -> usize {
        self.context.slots()
    }

    pub(crate) fn keys(&self) -> KeyGenerator<'_> {
        KeyGenerator::new(&self.context, &self.secret, seed(self.seed, 2))
    }

    pub(crate) fn encryptor(&self, nth: u64) -> SymmetricEncryptor<'_> {
        SymmetricEncryptor::new(&self.context, &self.secret, &seed(self.seed, 100 + nth))
    }

    pub(crate) fn encrypt(&self, messages: &[Vec<Complex64>], nth: u64) -> CiphertextTensor {
        let mut encryptor = self.encryptor(nth);
        let fresh = match self.ring() {
            RingType::Cyclotomic => encryptor.encrypt_complex_tensor(messages, self.top(), self.scale()),
            RingType::ConjugateInvariant => encryptor.encrypt_tensor(&real_parts(messages), self.top(), self.scale()),
        };
        fresh.unwrap().expand(&self.context).unwrap()
    }

    pub(crate) fn encode(&self, messages: &[Vec<Complex64>], level: Level, scale: Scale) -> Plaintext {
        match self.ring() {
            RingType::Cyclotomic => self.encoder.encode_complex_tensor(messages, level, scale).unwrap(),
            RingType::ConjugateInvariant => self.encoder.encode_tensor(&real_parts(messages), level, scale).unwrap(),
        }
    }

    pub(crate) fn decrypt(&self, x: &CiphertextTensor) -> Vec<Vec<Complex64>> {
        let plain = Decryptor::new(&self.context, &self.secret).decrypt(x).unwrap();
        (0..plain.values()).map(|value| self.encoder.decode_complex(&plain, value).unwrap()).collect()
    }

    /// Messages of the full length, one per value; real ones where slots are real.
    pub(crate) fn messages(&self, values: usize, nth: u64) -> Vec<Vec<Complex64>> {
        let message = |value: usize| {
            let mut message = complex_numbers(self.slots(), self.seed, nth * 1000 + value as u64);
            if self.ring() == RingType::ConjugateInvariant {
                message.iter_mut().for_each(|z| z.im = 0.0);
            }
            message
        };
        (0..values).map(message).collect()
    }

    fn ring(&self) -> RingType {
        self.context.params().shape().ring_type()
    }
}
