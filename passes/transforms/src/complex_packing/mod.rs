//! Two images to a slot: one in the real part of each number, one in the imaginary part.
//!
//! Sums and real weights act on both parts alike, and the key owner takes the parts apart before it computes. A product of ciphertexts would mix
//! them, so one product anywhere declines the packing for the whole network; the verifier of the program refuses it too
//! ([`he_ir::HeProgram::verify`]). Where nothing is left to the key owner, a network that multiplies nothing is one linear map: it stays at one
//! image to a slot; and so does every network in the conjugate-invariant ring, whose slots are real.

use he_params::{Packing, RingType};

use crate::lowering::{Circuit, Gate};
use crate::{Pass, PassError, PassReport, Property};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct ComplexPacking {
    /// The ring that the circuit is compiled for.
    pub ring: RingType,
}

impl Pass<Circuit> for ComplexPacking {
    fn name(&self) -> &'static str {
        "complex_packing"
    }

    fn requires(&self) -> &'static [Property] {
        &[]
    }

    fn ensures(&self) -> &'static [Property] {
        &[Property::LaidOut]
    }

    fn run(&self, circuit: &mut Circuit) -> Result<PassReport, PassError> {
        let mut report = PassReport::default();
        let product = circuit.nodes.iter().find(|node| matches!(node.gate, Gate::Mul | Gate::Square));
        circuit.packing = match product {
            _ if self.ring == RingType::ConjugateInvariant => {
                report.decline(&circuit.name, "slots of the conjugate-invariant ring are real");
                Packing::Batch
            }
            None if circuit.is_client_aided() => {
                report.rewrote(&circuit.name, "two images to a slot");
                Packing::Complex
            }
            None => {
                report.decline(&circuit.name, "the key owner computes nothing");
                Packing::Batch
            }
            Some(node) => {
                report.decline(&circuit.name, format!("{} multiplies ciphertexts", node.source));
                Packing::Batch
            }
        };
        Ok(report)
    }
}

#[cfg(test)]
mod tests;
