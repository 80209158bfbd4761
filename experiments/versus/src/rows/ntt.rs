//! One transform of one prime.
//!
//! Every contender transforms its own buffer in place, again and again: what comes out is reduced, so it can go in.
//! Henge and SEAL agree word for word; the other peers order evaluations differently, so a whole product is compared.

use std::marker::PhantomData;

use anyhow::{Context, ensure};
use he_params::LogN;
use he_params::primes::ntt_primes;
use he_ring::{Isa, NttPlan, Word};

use super::{Contest, Setting, TFHE_NTT, contest, explain, residues};
use crate::butterfly::{self, butterfly};
use crate::contest::Contender;
use crate::limit::{Processor, Work, bits, transform_multiplies, word_bytes};
use crate::record::Row;

#[cfg(feature = "seal")]
const SAME_WORDS: &str = "same residues";
const SAME_PRODUCT: &str = "same product of polynomials";

pub(super) fn measure(setting: &Setting, take: &mut dyn FnMut(Vec<Row>)) -> anyhow::Result<()> {
    for (log_n, bits) in [(13, 30), (14, 60), (14, 50)] {
        for forward in [true, false] {
            let direction = if forward { "forward" } else { "inverse" };
            let name = format!("ntt_{direction}_2^{log_n}_{bits}bit");
            if setting.wants(&name) {
                let q = ntt_primes(bits, LogN::new(log_n)?, 1)?[0];
                take(if bits <= 30 {
                    Transform::<u32> { name: &name, log_n: u32::from(log_n), q, forward, width: PhantomData }
                        .run(setting)?
                } else {
                    Transform::<u64> { name: &name, log_n: u32::from(log_n), q, forward, width: PhantomData }
                        .run(setting)?
                });
            }
        }
    }
    Ok(())
}

/// A peer's transform of words of one width.
trait PeerWord: Word {
    /// Name, and a plan of each peer, as `forward`, `inverse`, and `lhs * rhs / N` on evaluations.
    fn peers(n: usize, q: u64) -> Vec<(&'static str, Box<dyn PeerPlan<Self>>)>;
}

trait PeerPlan<W> {
    fn forward(&self, x: &mut [W]);
    fn inverse(&self, x: &mut [W]);
    fn multiply(&self, x: &mut [W], y: &[W]);
}

macro_rules! peer {
    ($plan:ty, $word:ty) => {
        impl PeerPlan<$word> for $plan {
            fn forward(&self, x: &mut [$word]) {
                self.fwd(x);
            }
            fn inverse(&self, x: &mut [$word]) {
                self.inv(x);
            }
            fn multiply(&self, x: &mut [$word], y: &[$word]) {
                self.mul_assign_normalize(x, y);
            }
        }
    };
}

peer!(concrete_ntt::prime32::Plan, u32);
peer!(concrete_ntt::prime64::Plan, u64);
peer!(tfhe_ntt::prime32::Plan, u32);
peer!(tfhe_ntt::prime64::Plan, u64);

impl PeerWord for u32 {
    fn peers(n: usize, q: u64) -> Vec<(&'static str, Box<dyn PeerPlan<u32>>)> {
        let q = q as u32;
        let concrete = concrete_ntt::prime32::Plan::try_new(n, q).map(|p| Box::new(p) as Box<dyn PeerPlan<u32>>);
        let tfhe = tfhe_ntt::prime32::Plan::try_new(n, q).map(|p| Box::new(p) as Box<dyn PeerPlan<u32>>);
        [("concrete-ntt", concrete), (TFHE_NTT, tfhe)].into_iter().filter_map(|(n, p)| Some((n, p?))).collect()
    }
}

impl PeerWord for u64 {
    fn peers(n: usize, q: u64) -> Vec<(&'static str, Box<dyn PeerPlan<u64>>)> {
        let concrete = concrete_ntt::prime64::Plan::try_new(n, q).map(|p| Box::new(p) as Box<dyn PeerPlan<u64>>);
        let tfhe = tfhe_ntt::prime64::Plan::try_new(n, q).map(|p| Box::new(p) as Box<dyn PeerPlan<u64>>);
        [("concrete-ntt", concrete), (TFHE_NTT, tfhe)].into_iter().filter_map(|(n, p)| Some((n, p?))).collect()
    }
}

struct Transform<'a, W> {
    name: &'a str,
    log_n: u32,
    q: u64,
    forward: bool,
    width: PhantomData<W>,
}

impl<W: PeerWord> Transform<'_, W> {
    fn run(&self, setting: &Setting) -> anyhow::Result<Vec<Row>> {
        let n = 1usize << self.log_n;
        let words: Vec<W> = residues(1, self.q, n).into_iter().map(W::from_u64).collect();
        let plans: Vec<(Isa, NttPlan<W>)> = setting
            .isas
            .iter()
            .map(|isa| Ok((*isa, NttPlan::new(self.log_n, self.q, *isa)?)))
            .collect::<anyhow::Result<_>>()?;
        let oracle = NttPlan::<W>::new(self.log_n, self.q, Isa::Scalar)?;
        let mut expected = words.clone();
        if self.forward {
            oracle.forward(&mut expected)
        } else {
            oracle.inverse(&mut expected)
        }

        let bytes = 2.0 * n as f64 * word_bytes(self.q);
        let work = move |isa| Work { multiplies: transform_multiplies(isa, self.log_n, bits(self.q)), bytes };
        let mut rows =
            contest(setting, || self.contest(Contest::new(self.name, work), &words, &plans, &oracle, &expected))?;
        let Processor { clock_hz, is_amd, .. } = setting.processor;
        for isa in &setting.isas {
            let least = butterfly(*isa, bits(self.q), self.forward, is_amd)
                .map(|butterfly| butterfly.profile(*isa, self.log_n, is_amd, clock_hz));
            explain(&mut rows, *isa, |us| Ok(least.map_or_else(Vec::new, |least| least.of(us, butterfly::REST))))?;
        }
        Ok(rows)
    }

    fn contest<'a>(
        &'a self,
        mut contest: Contest<'a>,
        words: &[W],
        plans: &'a [(Isa, NttPlan<W>)],
        oracle: &NttPlan<W>,
        expected: &[W],
    ) -> anyhow::Result<Contest<'a>> {
        for (isa, plan) in plans {
            let mut x = words.to_vec();
            if self.forward {
                plan.forward(&mut x)
            } else {
                plan.inverse(&mut x)
            }
            ensure!(x == expected, "{}: {} differs from scalar", self.name, isa.name());
            let forward = self.forward;
            let turn = move || {
                if forward {
                    plan.forward(&mut x)
                } else {
                    plan.inverse(&mut x)
                }
                Ok(())
            };
            contest.henge(*isa, Contender::new(format!("Henge, {}", isa.name()), turn));
        }
        #[cfg(feature = "seal")]
        self.seal(words, expected, &mut contest)?;
        for (name, plan) in W::peers(1 << self.log_n, self.q) {
            self.check_product(oracle, plan.as_ref()).context(name)?;
            let (mut x, forward) = (words.to_vec(), self.forward);
            let turn = move || {
                if forward {
                    plan.forward(&mut x)
                } else {
                    plan.inverse(&mut x)
                }
                Ok(())
            };
            contest.peer(Contender::new(name, turn), Some(SAME_PRODUCT));
        }
        Ok(contest)
    }

    #[cfg(feature = "seal")]
    fn seal(&self, words: &[W], expected: &[W], contest: &mut Contest<'_>) -> anyhow::Result<()> {
        let wide = |x: &[W]| -> Vec<u64> { x.iter().map(|w| w.to_u64()).collect() };
        let scheme = crate::seal::Scheme::new(self.log_n, &[self.q])?;
        let forward = self.forward;
        let mut x = wide(words);
        scheme.transform(forward, &mut x)?;
        ensure!(x == wide(expected), "{}: residues differ from SEAL's", self.name);
        let turn = move || scheme.transform(forward, &mut x);
        contest.peer(Contender::new(crate::bars::SEAL, turn), Some(SAME_WORDS));
        Ok(())
    }

    /// The product of two polynomials, by us and by a peer.
    fn check_product(&self, ours: &NttPlan<W>, theirs: &dyn PeerPlan<W>) -> anyhow::Result<()> {
        let n = 1usize << self.log_n;
        let operand = |seed| -> Vec<W> { residues(seed, self.q, n).into_iter().map(W::from_u64).collect() };
        let (mut x, mut y) = (operand(2), operand(3));
        let (mut their_x, mut their_y) = (x.clone(), y.clone());
        ours.forward(&mut x);
        ours.forward(&mut y);
        x.iter_mut().zip(&y).for_each(|(x, y)| *x = ours.modulus().mul(*x, *y));
        ours.inverse(&mut x);
        theirs.forward(&mut their_x);
        theirs.forward(&mut their_y);
        theirs.multiply(&mut their_x, &their_y);
        theirs.inverse(&mut their_x);
        ensure!(x == their_x, "{}: another product of polynomials", self.name);
        Ok(())
    }
}
