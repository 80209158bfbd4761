//! Operations of the scheme, one ciphertext at a time, with the same keys and operands on both sides.
//!
//! Key and operands are made by Henge and copied into SEAL, so where an operation draws no randomness both must give the
//! same residues; where it draws some, SEAL's ciphertext must decrypt to the message.

use std::sync::Arc;

use anyhow::{Context, ensure};
use he_ckks::{CiphertextTensor, CkksContext, Encoder, Evaluator, Plaintext, PublicEncryptor, Seed};
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, Rotation, Scale};
use he_ring::Isa;
use he_rlwe::{GaloisKeys, PublicKey, RelinearizationKey};
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};

use super::anatomy::{Anatomy, REST};
use super::{Contest, Setting, contest, explain, numbers};
use crate::contest::Contender;
use crate::limit::{Work, bits, embedding_multiplies, product_multiplies, transform_multiplies, word_bytes};
use crate::record::Row;

/// Parameters by the name that rows carry.
struct Set {
    name: &'static str,
    log_n: u8,
    q: &'static [u8],
    p: &'static [u8],
    log_scale: f64,
    operations: &'static [Operation],
}

/// Every operation, and on which of the operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Multiply,
    Square,
    MultiplyPlain,
    Relinearize,
    /// Both at once on our side, one after the other on SEAL's, which has no such operation.
    RelinearizeRescale,
    Rescale,
    Rotate,
    Encode,
    EncryptPublic,
    EncodeEncryptSymmetric,
    DecryptDecode,
}

use Operation::{
    Add, DecryptDecode, Encode, EncodeEncryptSymmetric, EncryptPublic, Multiply, MultiplyPlain, Relinearize,
    RelinearizeRescale, Rescale, Rotate, Square,
};

/// The operations that compute on ciphertexts, and what a client does.
const EVERYTHING: &[Operation] = &[
    Relinearize,
    Rotate,
    Rescale,
    RelinearizeRescale,
    Add,
    Multiply,
    Square,
    MultiplyPlain,
    Encode,
    EncryptPublic,
    EncodeEncryptSymmetric,
    DecryptDecode,
];

/// The number of primes in a row's name counts the special one, which ciphertexts do not have.
const SETS: [Set; 4] = [
    Set { name: "2^13_7x30", log_n: 13, q: &[30; 6], p: &[30], log_scale: 30.0, operations: EVERYTHING },
    Set { name: "2^12_3x30", log_n: 12, q: &[30; 2], p: &[30], log_scale: 30.0, operations: &[EncodeEncryptSymmetric] },
    Set { name: "2^12_1x30", log_n: 12, q: &[30], p: &[], log_scale: 24.0, operations: &[DecryptDecode] },
    Set {
        name: "2^14_60_6x40_60",
        log_n: 14,
        q: &[60, 40, 40, 40, 40, 40, 40],
        p: &[60],
        log_scale: 40.0,
        operations: &[Relinearize, Rotate, Rescale, Multiply, EncodeEncryptSymmetric, DecryptDecode],
    },
];

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Add => "add",
            Multiply => "multiply",
            Square => "square",
            MultiplyPlain => "multiply_plain",
            Relinearize => "relinearize",
            RelinearizeRescale => "relinearize_rescale",
            Rescale => "rescale",
            Rotate => "rotate",
            Encode => "encode",
            EncryptPublic => "encrypt_public",
            EncodeEncryptSymmetric => "encode_encrypt_symmetric",
            DecryptDecode => "decrypt_decode",
        }
    }

    /// The work of the operation on one ciphertext over the primes `q`: transforms and products of polynomials of one prime,
    /// embeddings; rows of residues that it reads and writes, numbers.
    pub(super) fn work(self, q: &[u64], params: &CkksParams, isa: Isa) -> Work {
        let (log_n, n) = (u32::from(params.log_n().get()), params.n());
        let p = params.p();
        let (last, rest) = q.split_last().unwrap_or((&0, &[]));
        let all: Vec<u64> = q.iter().chain(p).copied().collect();
        let transforms = |q: &[u64]| q.iter().map(|q| transform_multiplies(isa, log_n, bits(*q))).sum::<f64>();
        let lazy = |q: &[u64]| q.iter().map(|q| product_multiplies(isa, n, bits(*q))).sum::<f64>();
        // Reduced at once, as a butterfly's.
        let products = |q: &[u64]| {
            q.iter().map(|q| 2.0 * transform_multiplies(isa, log_n, bits(*q)) / f64::from(log_n)).sum::<f64>()
        };
        let rows = |q: &[u64]| q.iter().map(|q| n as f64 * word_bytes(*q)).sum::<f64>();
        let numbers = 8.0 * params.slots() as f64;
        let digits = q.len() as f64;
        // Inverse of each digit; each digit forward to every other prime; two products a digit and prime; the primes divided
        // out of both sums back, and to every prime that stays.
        let switch = |divided: usize| {
            let stay = all.len() - divided;
            let divided: Vec<u64> = all[stay..].to_vec();
            digits * transforms(&all)
                + 2.0 * digits * lazy(&all)
                + 2.0 * transforms(&divided)
                + 2.0 * divided.len() as f64 * transforms(&all[..stay])
        };
        let key = 2.0 * digits * rows(&all);
        let (multiplies, bytes) = match self {
            Add => (0.0, 6.0 * rows(q)),
            Multiply => (4.0 * products(q), 7.0 * rows(q)),
            Square => (3.0 * products(q), 5.0 * rows(q)),
            MultiplyPlain => (2.0 * products(q), 5.0 * rows(q)),
            Relinearize => (switch(p.len()), 5.0 * rows(q) + key),
            RelinearizeRescale => (switch(p.len() + 1), 3.0 * rows(q) + 2.0 * rows(rest) + key),
            Rotate => (switch(p.len()), 4.0 * rows(q) + key),
            Rescale => (2.0 * (transforms(&[*last]) + transforms(rest)), 2.0 * (rows(q) + rows(rest))),
            Encode => (embedding_multiplies(log_n) + transforms(q), numbers + rows(q)),
            // The ternary polynomial forward, both products back modulo P, and its remainders forward.
            EncryptPublic => {
                let down = 2.0 * transforms(p) + 2.0 * p.len() as f64 * transforms(q);
                (transforms(&all) + 2.0 * products(&all) + down, 3.0 * rows(q) + 2.0 * rows(&all))
            }
            EncodeEncryptSymmetric => {
                (embedding_multiplies(log_n) + transforms(q) + products(q), numbers + 2.0 * rows(q))
            }
            DecryptDecode => (embedding_multiplies(log_n) + transforms(q) + products(q), 3.0 * rows(q) + numbers),
        };
        Work { multiplies, bytes }
    }
}

pub(super) fn measure(setting: &Setting, take: &mut dyn FnMut(Vec<Row>)) -> anyhow::Result<()> {
    for set in &SETS {
        let wanted: Vec<(Operation, String)> = set
            .operations
            .iter()
            .map(|operation| (*operation, format!("{}_{}", operation.name(), set.name)))
            .filter(|(_, name)| setting.wants(name))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let operands = Operands::new(set, setting)?;
        for (operation, name) in &wanted {
            let rows = run(&operands, *operation, name, setting).with_context(|| name.clone())?;
            take(rows);
        }
    }
    Ok(())
}

/// One context per instruction set, one key, a few ciphertexts.
struct Operands {
    contexts: Vec<(Isa, Arc<CkksContext>)>,
    params: CkksParams,
    scale: Scale,
    level: Level,
    values: Vec<f64>,
    secret: SecretKey,
    relinearization: Option<RelinearizationKey>,
    rotation: GaloisKeys,
    public: PublicKey,
    x: CiphertextTensor,
    y: CiphertextTensor,
    product: CiphertextTensor,
    plain: Plaintext,
}

impl Operands {
    fn new(set: &Set, setting: &Setting) -> anyhow::Result<Operands> {
        let chain = |bits: &[u8]| ModulusChain::Bits(bits.to_vec());
        let literal = CkksParamsLiteral::new(set.log_n, chain(set.q), chain(set.p), set.log_scale);
        let params = CkksParams::try_from(literal)?;
        let contexts = setting
            .isas
            .iter()
            .map(|isa| Ok((*isa, CkksContext::with_isa(params.clone(), *isa)?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let (_, context) = contexts.last().context("no instruction set")?;
        let (scale, level) = (params.scale(), params.max_level());
        let seed = |number| Seed::new([number; 32]);
        let secret = SecretKey::generate(context, &seed(1))?;
        let generator = KeyGenerator::new(context, &secret, seed(2));
        let switches = !params.p().is_empty();
        let relinearization = if switches { Some(generator.relinearization_key()?) } else { None };
        let rotation = if switches { generator.galois_keys(&[Rotation(1)], false)? } else { GaloisKeys::new() };
        let public = generator.public_key()?;
        let values = numbers(1, params.slots());
        let mut encryptor = SymmetricEncryptor::new(context, &secret, &seed(3));
        let mut encrypt =
            |values: &[f64]| -> anyhow::Result<_> { Ok(encryptor.encrypt(values, level, scale)?.expand(context)?) };
        let (x, y) = (encrypt(&values)?, encrypt(&numbers(2, params.slots()))?);
        let product = match set.operations.contains(&Relinearize) {
            true => Evaluator::new(context).mul(&x, &y)?,
            false => x.clone(),
        };
        let plain = Encoder::new(context).encode(&values, level, scale)?;
        Ok(Operands {
            params: params.clone(),
            scale,
            level,
            values,
            relinearization,
            rotation,
            public,
            x,
            y,
            product,
            plain,
            secret,
            contexts,
        })
    }

    fn key(&self) -> anyhow::Result<&RelinearizationKey> {
        self.relinearization.as_ref().context("no special prime")
    }

    /// The operation on ciphertexts, once, where its result does not depend on chance.
    fn evaluate(&self, operation: Operation, evaluator: &Evaluator) -> anyhow::Result<Option<CiphertextTensor>> {
        Ok(Some(match operation {
            Add => evaluator.add(&self.x, &self.y)?,
            Multiply => evaluator.mul(&self.x, &self.y)?,
            Square => evaluator.square(&self.x)?,
            MultiplyPlain => evaluator.mul_plain(&self.x, &self.plain)?,
            Relinearize => evaluator.relinearize(&self.product, self.key()?)?,
            RelinearizeRescale => evaluator.relinearize_rescale(&self.product, self.key()?)?,
            Rescale => evaluator.rescale(self.x.clone())?,
            Rotate => evaluator.rotate(&self.x, Rotation(1), &self.rotation)?,
            Encode | EncryptPublic | EncodeEncryptSymmetric | DecryptDecode => return Ok(None),
        }))
    }
}

fn run(operands: &Operands, operation: Operation, name: &str, setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let mut rows = contest(setting, || {
        let mut contest = Contest::new(name, move |isa| operation.work(operands.params.q(), &operands.params, isa));
        for (isa, context) in &operands.contexts {
            contest.henge(*isa, ours(operands, operation, *isa, context)?);
        }
        #[cfg(feature = "seal")]
        seal::join(operands, operation, &mut contest)?;
        Ok(contest)
    })?;
    for (isa, context) in &operands.contexts {
        let anatomy = Anatomy::new(context, operands.level, &setting.plan)?;
        explain(&mut rows, *isa, |us| Ok(anatomy.of(operation)?.of(us, REST)))?;
    }
    Ok(rows)
}

/// Henge's side, through its public interface.
fn ours<'a>(
    operands: &'a Operands,
    operation: Operation,
    isa: Isa,
    context: &Arc<CkksContext>,
) -> anyhow::Result<Contender<'a>> {
    let name = format!("Henge, {}", isa.name());
    let (evaluator, encoder) = (Evaluator::new(context), Encoder::new(context));
    let (level, scale) = (operands.level, operands.scale);
    Ok(match operation {
        Add => Contender::prepared(
            name,
            || Ok(operands.x.clone()),
            move |mut x| {
                evaluator.add_assign(&mut x, &operands.y)?;
                Ok(x)
            },
        ),
        MultiplyPlain => Contender::prepared(
            name,
            || Ok(operands.x.clone()),
            move |mut x| {
                evaluator.mul_plain_assign(&mut x, &operands.plain)?;
                Ok(x)
            },
        ),
        Rescale => Contender::prepared(name, || Ok(operands.x.clone()), move |x| Ok(evaluator.rescale(x)?)),
        Multiply | Square | Relinearize | RelinearizeRescale | Rotate => {
            Contender::prepared(name, || Ok(()), move |()| operands.evaluate(operation, &evaluator))
        }
        Encode => Contender::prepared(name, || Ok(()), move |()| Ok(encoder.encode(&operands.values, level, scale)?)),
        EncryptPublic => {
            let mut encryptor = PublicEncryptor::new(context, operands.public.clone(), Seed::new([4; 32]));
            Contender::prepared(name, || Ok(()), move |()| Ok(encryptor.encrypt(&operands.plain)?))
        }
        EncodeEncryptSymmetric => {
            let mut encryptor = SymmetricEncryptor::new(context, &operands.secret, &Seed::new([5; 32]));
            Contender::prepared(name, || Ok(()), move |()| Ok(encryptor.encrypt(&operands.values, level, scale)?))
        }
        DecryptDecode => {
            let decryptor = Decryptor::new(context, &operands.secret);
            let numbers = encoder.decode(&decryptor.decrypt(&operands.x)?, 0)?;
            close(&numbers, &operands.values)?;
            let turn = move |()| Ok(encoder.decode(&decryptor.decrypt(&operands.x)?, 0)?);
            Contender::prepared(name, || Ok(()), turn)
        }
    })
}

/// Refuses numbers that are not the message.
fn close(found: &[f64], expected: &[f64]) -> anyhow::Result<()> {
    let error = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    ensure!(found.len() >= expected.len() && error < 1e-2, "decrypts to other numbers, off by {error:.2e}");
    Ok(())
}

#[cfg(feature = "seal")]
mod seal {
    use std::cell::RefCell;
    use std::rc::Rc;

    use he_ring::{Eval, RnsView};

    use super::*;
    use crate::bars::SEAL;
    use crate::seal::Scheme;

    /// Adds SEAL to a contest, after its result was seen to be right.
    pub(super) fn join<'a>(
        operands: &'a Operands,
        operation: Operation,
        contest: &mut Contest<'a>,
    ) -> anyhow::Result<()> {
        let mut seal = scheme(operands, operation)?;
        let scale = operands.scale.get();
        let (_, context) = operands.contexts.last().context("no instruction set")?;
        let checked = if let Some(ours) = operands.evaluate(operation, &Evaluator::new(context))? {
            seal.evaluate(operation)?;
            if operation == RelinearizeRescale {
                // One division instead of two rounds differently: what is compared is what both decrypt to.
                let mut inner = seal.inner();
                inner.as_mut().decrypt()?;
                inner.as_mut().decode()?;
                let plain = Decryptor::new(context, &operands.secret).decrypt(&ours)?;
                close(&Encoder::new(context).decode(&plain, 0)?, &inner.values())?;
                "decrypts to the same numbers"
            } else {
                ensure!(seal.inner().work() == words(ours.rows().into()), "residues differ from SEAL's");
                "same residues"
            }
        } else {
            let mut inner = seal.inner();
            inner.as_mut().encode(scale)?;
            match operation {
                EncryptPublic => inner.as_mut().encrypt_public()?,
                _ => inner.as_mut().encrypt_symmetric()?,
            }
            inner.as_mut().decrypt()?;
            inner.as_mut().decode()?;
            close(&inner.values(), &operands.values)?;
            inner.as_mut().set_values(&operands.values)?;
            inner.as_mut().encode(scale)?;
            "decrypts to the message"
        };
        let seal = Rc::new(RefCell::new(seal));
        let prepare = Rc::clone(&seal);
        let turn = move |()| {
            let mut seal = seal.borrow_mut();
            let mut inner = seal.inner();
            match operation {
                Encode => inner.as_mut().encode(scale)?,
                EncryptPublic => inner.as_mut().encrypt_public()?,
                EncodeEncryptSymmetric => {
                    inner.as_mut().encode(scale)?;
                    inner.as_mut().encrypt_symmetric()?;
                }
                DecryptDecode => {
                    inner.as_mut().decrypt()?;
                    inner.as_mut().decode()?;
                }
                _ => {}
            }
            seal.evaluate(operation)
        };
        let reset = move || Ok(prepare.borrow_mut().inner().reset()?);
        contest.peer(Contender::prepared(SEAL, reset, turn), Some(checked));
        Ok(())
    }

    /// SEAL with the operands of an operation.
    fn scheme(operands: &Operands, operation: Operation) -> anyhow::Result<Scheme> {
        let params = &operands.params;
        let primes: Vec<u64> = params.q().iter().chain(params.p()).copied().collect();
        let (_, context) = operands.contexts.last().context("no instruction set")?;
        let ring = context.ring();
        let secret = ring.from_signed(operands.secret.expose_coefficients(), &context.rlwe().all_limbs())?;
        let secret = ring.forward(secret)?;
        let mut seal = Scheme::new(u32::from(params.log_n().get()), &primes)?;
        let mut inner = seal.inner();
        inner.as_mut().set_secret(&words((&secret).into()))?;
        let relinearizes = matches!(operation, Relinearize | RelinearizeRescale);
        if relinearizes {
            inner.as_mut().set_relinearization_key(&key_words(operands.key()?.key())?)?;
        }
        if operation == Rotate {
            let (_, key) = operands.rotation.iter().next().context("no rotation key")?;
            inner.as_mut().set_rotation_key(&key_words(key)?)?;
        }
        let left = if relinearizes { &operands.product } else { &operands.x };
        let primes = params.q().len();
        let mut set = |x: &CiphertextTensor, left: bool| {
            let (words, components, scale) = (words(x.rows().into()), x.component_count(), x.scale().get());
            match left {
                true => inner.as_mut().set_left(&words, components, primes, scale),
                false => inner.as_mut().set_right(&words, components, primes, scale),
            }
        };
        set(left, true)?;
        set(&operands.y, false)?;
        inner.as_mut().set_values(&operands.values)?;
        inner.as_mut().encode(operands.scale.get())?;
        Ok(seal)
    }

    impl Scheme {
        /// The operation on the work ciphertext; nothing for those that make or read one.
        fn evaluate(&mut self, operation: Operation) -> anyhow::Result<()> {
            let mut inner = self.inner();
            Ok(match operation {
                Add => inner.add(),
                Multiply => inner.multiply(),
                Square => inner.square(),
                MultiplyPlain => inner.multiply_plain(),
                Relinearize => inner.relinearize(),
                RelinearizeRescale => {
                    inner.as_mut().relinearize()?;
                    inner.rescale()
                }
                Rescale => inner.rescale(),
                Rotate => inner.rotate(),
                Encode | EncryptPublic | EncodeEncryptSymmetric | DecryptDecode => Ok(()),
            }?)
        }
    }

    /// Residues as SEAL orders them: row after row, each prime after prime.
    fn words(rows: RnsView<'_, Eval>) -> Vec<u64> {
        let limbs = rows.limb_indices().len();
        (0..rows.rows()).flat_map(|row| (0..limbs).flat_map(move |limb| rows.row(limb, row).iter())).collect()
    }

    /// A key as SEAL orders it: per digit `b`, then `a`.
    fn key_words(key: &he_rlwe::KeySwitchKey) -> anyhow::Result<Vec<u64>> {
        let (b, a) = (key.b()?, key.a()?);
        let mut all = Vec::new();
        for digit in 0..b.rows() {
            all.extend(words(b.range(digit, 1)?));
            all.extend(words(a.range(digit, 1)?));
        }
        Ok(all)
    }
}
