//! Microsoft SEAL's own files, read and written by SEAL and by `seal_format`: the Galois keys that SEAL makes when asked for no steps, on one thread.
//!
//! SEAL makes the keys. Both sides must read the same words, and write the same bytes where the format leaves no choice.

use anyhow::ensure;
use he_params::{GaloisElement, LogN, primes::ntt_prime_chain};
use seal_bridge::{KeyGenerator, Security};
use seal_format::{Compression, Context, EncryptionParameters, GaloisKeys, Load, Save};

use super::{Contest, Setting, contest};
use crate::bars::SEAL;
use crate::contest::Contender;
use crate::limit::Work;
use crate::record::Row;

const LOG_N: u8 = 13;
const BITS: [u8; 7] = [30; 7];

/// What is done to which file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Load(Compression),
    /// Half of the words are expanded from seeds.
    LoadSeeded,
    Save(Compression),
}

const OPERATIONS: [(&str, Operation); 5] = [
    ("load_galois_keys_2^13_7x30", Operation::Load(Compression::None)),
    ("load_galois_keys_seeded_2^13_7x30", Operation::LoadSeeded),
    ("load_galois_keys_zstd_2^13_7x30", Operation::Load(Compression::Zstd)),
    ("save_galois_keys_2^13_7x30", Operation::Save(Compression::None)),
    ("save_galois_keys_zstd_2^13_7x30", Operation::Save(Compression::Zstd)),
];

pub(super) fn measure(setting: &Setting, take: &mut dyn FnMut(Vec<Row>)) -> anyhow::Result<()> {
    if !OPERATIONS.iter().any(|(name, _)| setting.wants(name)) {
        return Ok(());
    }
    let keys = Keys::new(setting.quick)?;
    for (name, operation) in OPERATIONS {
        if setting.wants(name) {
            take(keys.run(name, operation, setting)?);
        }
    }
    Ok(())
}

/// The same keys on both sides, and what SEAL saves of others with seeds.
struct Keys {
    seal_context: seal_bridge::Context,
    context: Context,
    seals: seal_bridge::GaloisKeys,
    ours: GaloisKeys,
    seeded: Vec<u8>,
}

impl Keys {
    fn new(quick: bool) -> anyhow::Result<Keys> {
        let log_n = LogN::new(LOG_N)?;
        let primes = ntt_prime_chain(&BITS, log_n, &[])?;
        let seal_context = seal_bridge::Context::new(log_n, &primes, Security::Bits128)?;
        let context = Context::new(EncryptionParameters::new(log_n.n() as u64, primes)?)?;
        let mut generator = KeyGenerator::new(&seal_context)?;
        let all = generator.default_galois_keys()?.elements(&seal_context);
        let elements: Vec<GaloisElement> = all.into_iter().take(if quick { 1 } else { usize::MAX }).collect();
        let seals = generator.galois_keys(&elements)?;
        let seeded = generator.save_seeded_galois_keys(&elements, seal_bridge::Compression::None)?;
        let (ours, _) = GaloisKeys::load(&seals.save(seal_bridge::Compression::None)?, &context)?;
        Ok(Keys { seal_context, context, seals, ours, seeded })
    }

    fn run(&self, name: &str, operation: Operation, setting: &Setting) -> anyhow::Result<Vec<Row>> {
        let (file, checked) = match operation {
            Operation::Load(compression) | Operation::Save(compression) => {
                let file = self.seals.save(seal_mode(compression))?;
                ensure!(self.ours.save(compression)? == file, "{name}: other bytes than SEAL's");
                (file, "same bytes")
            }
            Operation::LoadSeeded => {
                let seals = seal_bridge::GaloisKeys::load(&self.seal_context, &self.seeded)?;
                let whole = seals.save(seal_bridge::Compression::None)?;
                let (ours, _) = GaloisKeys::load(&self.seeded, &self.context)?;
                let (theirs, _) = GaloisKeys::load(&whole, &self.context)?;
                let words = |keys: &GaloisKeys| -> Vec<Vec<u64>> {
                    keys.keys().iter().flatten().map(|key| key.as_ciphertext().words().to_vec()).collect()
                };
                ensure!(words(&ours) == words(&theirs), "{name}: other words than SEAL's");
                (self.seeded.clone(), "same words")
            }
        };
        // What is read and what is written, once each.
        let bytes = (file.len() + self.ours.saved_len()) as f64;
        let file = file.as_slice();
        contest(setting, || {
            let mut row = Contest::new(name, move |_| Work { multiplies: 0.0, bytes });
            let seal = || SEAL.to_owned();
            // Nothing here depends on the instruction set.
            if let Some(isa) = setting.isas.last() {
                let henge = format!("Henge, {}", isa.name());
                row.henge(
                    *isa,
                    match operation {
                        Operation::Load(_) | Operation::LoadSeeded => {
                            Contender::prepared(henge, || Ok(()), |()| Ok(GaloisKeys::load(file, &self.context)?))
                        }
                        Operation::Save(compression) => {
                            Contender::prepared(henge, || Ok(()), move |()| Ok(self.ours.save(compression)?))
                        }
                    },
                );
            }
            let peer = match operation {
                Operation::Load(_) | Operation::LoadSeeded => Contender::prepared(
                    seal(),
                    || Ok(()),
                    |()| Ok(seal_bridge::GaloisKeys::load(&self.seal_context, file)?),
                ),
                Operation::Save(compression) => {
                    Contender::prepared(seal(), || Ok(()), move |()| Ok(self.seals.save(seal_mode(compression))?))
                }
            };
            row.peer(peer, Some(checked));
            Ok(row)
        })
    }
}

fn seal_mode(compression: Compression) -> seal_bridge::Compression {
    match compression {
        Compression::None => seal_bridge::Compression::None,
        Compression::Zlib => seal_bridge::Compression::Zlib,
        Compression::Zstd => seal_bridge::Compression::Zstd,
    }
}
