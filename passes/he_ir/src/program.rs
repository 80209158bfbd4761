//! The program itself.

use std::collections::HashMap;
use std::sync::Arc;

use he_params::Packing;

use crate::value::{CipherType, ValueId};
use crate::{HeIrError, Op, Refresh, verify};

/// One operation and the type of what it computes.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub(crate) op: Op,
    pub(crate) operands: Vec<ValueId>,
    pub(crate) value: CipherType,
    pub(crate) source: String,
}

impl Node {
    /// The operation.
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// What it reads.
    pub fn operands(&self) -> &[ValueId] {
        &self.operands
    }

    /// Type of the value it defines.
    pub fn value(&self) -> &CipherType {
        &self.value
    }

    /// Name of the layer of the model that it comes from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// A verified program over the ciphertext primes `q`.
#[derive(Clone, Debug, PartialEq)]
pub struct HeProgram {
    pub(crate) name: String,
    pub(crate) packing: Packing,
    pub(crate) q: Vec<u64>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) outputs: Vec<(String, ValueId)>,
}

impl HeProgram {
    /// Name of the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How images lie in ciphertexts.
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// Ciphertext primes q_0..q_L; `rescale` at level l divides by `q[l]`.
    pub fn q(&self) -> &[u64] {
        &self.q
    }

    /// Operations in the order in which they run; node i defines value i.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node that defines a value of this program.
    pub fn node(&self, id: ValueId) -> Option<&Node> {
        self.nodes.get(id.index())
    }

    /// All values with their nodes.
    pub fn values(&self) -> impl Iterator<Item = (ValueId, &Node)> {
        self.nodes.iter().enumerate().map(|(i, n)| (ValueId::new(i), n))
    }

    /// The inputs: name and type, in the order of the model.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, ValueId, &CipherType)> {
        self.values().filter_map(|(id, n)| match &n.op {
            Op::Input { name } => Some((name.as_str(), id, &n.value)),
            _ => None,
        })
    }

    /// The outputs: name and value, in the order of the model.
    pub fn outputs(&self) -> &[(String, ValueId)] {
        &self.outputs
    }

    /// Bytes of weights, constants, indices and groups; what nodes share, as copies of the program do, is counted once.
    pub fn byte_len(&self) -> usize {
        let shared: HashMap<_, _> = self.nodes.iter().filter_map(|node| node.op.shared()).collect();
        shared.values().sum()
    }

    /// For each value the index of the last node that reads it, or `nodes().len()` for an output; its own index when nobody does.
    /// Execution frees a tensor after that node.
    pub fn last_uses(&self) -> Vec<usize> {
        let mut last: Vec<usize> = (0..self.nodes.len()).collect();
        for (index, node) in self.nodes.iter().enumerate() {
            for operand in &node.operands {
                if let Some(slot) = last.get_mut(operand.index()) {
                    *slot = index;
                }
            }
        }
        for (_, id) in &self.outputs {
            if let Some(slot) = last.get_mut(id.index()) {
                *slot = self.nodes.len();
            }
        }
        last
    }

    /// The refreshes, in order, with their values.
    pub fn refreshes(&self) -> impl Iterator<Item = (ValueId, &Arc<Refresh>)> {
        self.values().filter_map(|(id, node)| match &node.op {
            Op::Refresh { refresh } => Some((id, refresh)),
            _ => None,
        })
    }

    /// Whether `other` has the same operations on the same operands, levels, scales and shapes, functions of the key owner included: all but
    /// weights, constants and indices, which is what a mask changes.
    pub fn differs_in_numbers_only(&self, other: &HeProgram) -> bool {
        fn function(op: &Op) -> Option<crate::ClientFunction> {
            match op {
                Op::Refresh { refresh } => Some(refresh.function),
                _ => None,
            }
        }
        let same = |(x, y): (&Node, &Node)| {
            let inputs = !matches!(x.op, Op::Input { .. }) || x.op == y.op;
            let verbs = (x.op.verb(), function(&x.op)) == (y.op.verb(), function(&y.op));
            inputs && verbs && x.operands == y.operands && x.value == y.value
        };
        (self.packing, &self.q, &self.outputs) == (other.packing, &other.q, &other.outputs)
            && self.nodes.len() == other.nodes.len()
            && self.nodes.iter().zip(&other.nodes).all(same)
    }

    /// The same program with its images packed otherwise.
    ///
    /// # Errors
    /// Products of ciphertexts under [`Packing::Complex`].
    pub fn with_packing(mut self, packing: Packing) -> Result<HeProgram, Vec<HeIrError>> {
        self.packing = packing;
        self.verify()?;
        Ok(self)
    }

    /// Checks the whole program: every rule of [`Op`], levels, scales and component counts recomputed.
    ///
    /// # Errors
    /// All of them, in program order.
    pub fn verify(&self) -> Result<(), Vec<HeIrError>> {
        verify::verify(self)
    }
}
