//! Instruction sets as proofs: a token is only made after the processor reported the set.
//!
//! The processor is asked once, the answer is stored in a plan, hot loops never detect.
//! `HENGE_ISA=scalar|avx2|avx512|avx512_ifma` narrows the choice. Results are bit-identical on every instruction set.

use crate::RingError;

/// Proof that this processor executes AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    /// Asks the processor; this is the only way to a token.
    pub fn detect() -> Option<Avx2> {
        let present = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
        present.then_some(Avx2(()))
    }
}

/// Proof that this processor executes AVX-512 F, DQ, VL and BW, besides AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(Avx2);

#[cfg(target_arch = "x86_64")]
impl Avx512 {
    /// Asks the processor; this is the only way to a token.
    pub fn detect() -> Option<Avx512> {
        let present = std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512vl")
            && std::arch::is_x86_feature_detected!("avx512bw");
        Avx2::detect().filter(|_| present).map(Avx512)
    }

    /// The smaller set that is part of this one.
    #[inline(always)]
    pub fn avx2(self) -> Avx2 {
        self.0
    }
}

/// Proof that this processor executes the 52-bit multiply-add of AVX-512 IFMA, besides [`Avx512`].
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512Ifma(Avx512);

#[cfg(target_arch = "x86_64")]
impl Avx512Ifma {
    /// Asks the processor; this is the only way to a token.
    pub fn detect() -> Option<Avx512Ifma> {
        Avx512::detect().filter(|_| std::arch::is_x86_feature_detected!("avx512ifma")).map(Avx512Ifma)
    }

    /// The smaller set that is part of this one.
    #[inline(always)]
    pub fn avx512(self) -> Avx512 {
        self.0
    }
}

/// The instruction set that a plan uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isa {
    /// Portable Rust, on every processor.
    Scalar,
    /// 256-bit integer vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// 512-bit integer vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// 512-bit integer vectors with 52-bit multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx512Ifma(Avx512Ifma),
}

/// The environment variable that narrows [`Isa::best`].
pub const ISA_VARIABLE: &str = "HENGE_ISA";

impl Isa {
    /// The name as `HENGE_ISA` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(_) => "avx512_ifma",
        }
    }

    /// Everything this processor and this version can run, slowest first.
    pub fn available() -> Vec<Isa> {
        let mut all = vec![Isa::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(Avx2::detect().map(Isa::Avx2));
            all.extend(Avx512::detect().map(Isa::Avx512));
            all.extend(Avx512Ifma::detect().map(Isa::Avx512Ifma));
        }
        all
    }

    /// The fastest instruction set here, or the one that `HENGE_ISA` names.
    ///
    /// # Errors
    /// `HENGE_ISA` names a set that is unknown or not on this processor.
    pub fn best() -> Result<Isa, RingError> {
        match std::env::var(ISA_VARIABLE) {
            Ok(name) if !name.is_empty() => Isa::by_name(&name),
            _ => Ok(Isa::available().pop().unwrap_or(Isa::Scalar)),
        }
    }

    /// The instruction set of that name.
    ///
    /// # Errors
    /// As [`Isa::best`].
    pub fn by_name(name: &str) -> Result<Isa, RingError> {
        let all = Isa::available();
        if let Some(isa) = all.iter().find(|isa| isa.name() == name) {
            return Ok(*isa);
        }
        let available = all.iter().map(|isa| isa.name()).collect::<Vec<_>>().join(", ");
        match ["avx2", "avx512", "avx512_ifma"].into_iter().find(|known| *known == name) {
            Some(name) => Err(RingError::IsaAbsent { name, available }),
            None => Err(RingError::UnknownIsa { name: name.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_instruction_sets_are_present() {
        let seen: Vec<&str> = Isa::available().iter().map(|isa| isa.name()).collect();
        println!("kernels tested: {}", seen.join(", "));
        for want in std::env::var("HENGE_REQUIRE_ISA").unwrap_or_default().split_terminator(',') {
            assert!(seen.contains(&want), "{want} not tested here");
        }
    }

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for isa in Isa::available() {
            assert_eq!(Isa::by_name(isa.name()), Ok(isa));
        }
        assert!(matches!(Isa::by_name("neon"), Err(RingError::UnknownIsa { .. })));
    }
}
