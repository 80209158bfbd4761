//! Rotations of the slots and the ring automorphisms behind them.

use serde::{Deserialize, Serialize};

use crate::{ParamsError, RingShape, RingType};

/// A cyclic rotation of all slots: slot j receives what was in slot j + k. Negative k rotates the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rotation(pub i32);

/// The automorphism X -> X^g of the ring; g is odd and below 2N, N the degree of the cyclotomic ring it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GaloisElement(u32);

impl GaloisElement {
    /// Generator of the slot order: slot j is the value at zeta^(3^j).
    pub const GENERATOR: u32 = 3;

    /// Checks that `g` is odd and below 2N.
    pub fn new(g: u32, shape: impl Into<RingShape>) -> Result<GaloisElement, ParamsError> {
        let log_n = shape.into().cyclotomic();
        if g % 2 == 1 && (g as usize) < 2 * log_n.n() {
            Ok(GaloisElement(g))
        } else {
            Err(ParamsError::GaloisElement { found: g, log_n })
        }
    }

    /// The element that rotates the slots: 3^k mod 2N, k taken modulo the number of slots.
    pub fn rotation(rotation: Rotation, shape: impl Into<RingShape>) -> GaloisElement {
        let shape = shape.into();
        let mut exponent = i64::from(rotation.0).rem_euclid(shape.slots() as i64);
        let mask = 2 * shape.cyclotomic().n() as u64 - 1;
        let (mut g, mut base) = (1u64, u64::from(Self::GENERATOR));
        while exponent > 0 {
            if exponent & 1 == 1 {
                g = (g * base) & mask;
            }
            base = (base * base) & mask;
            exponent >>= 1;
        }
        GaloisElement(g as u32)
    }

    /// The element that conjugates every slot: 2N - 1; 1, which moves nothing, where slots are real.
    pub fn conjugation(shape: impl Into<RingShape>) -> GaloisElement {
        let shape = shape.into();
        match shape.ring_type() {
            RingType::Cyclotomic => GaloisElement(2 * shape.n() as u32 - 1),
            RingType::ConjugateInvariant => GaloisElement(1),
        }
    }

    /// The number g.
    pub const fn get(self) -> u32 {
        self.0
    }
}
