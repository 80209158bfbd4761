//! Appends checked operations.

use std::sync::Arc;

use he_params::{Level, Packing, Scale};

use crate::error::HeIrError;
use crate::program::{HeProgram, Node};
use crate::value::{CipherType, ValueId};
use crate::{LinearMap, Op, verify};

/// Builds a program in which every value has the type that the rules give.
#[derive(Debug)]
pub struct HeProgramBuilder {
    program: HeProgram,
}

impl HeProgramBuilder {
    /// An empty program over the ciphertext primes `q` (q_0 first).
    pub fn new(name: impl Into<String>, q: Vec<u64>) -> Self {
        let program =
            HeProgram { name: name.into(), packing: Packing::Batch, q, nodes: Vec::new(), outputs: Vec::new() };
        Self { program }
    }

    /// An encrypted input, of two components.
    ///
    /// # Errors
    /// A level above the chain.
    pub fn input(
        &mut self,
        name: impl Into<String>,
        shape: Vec<usize>,
        level: Level,
        scale: Scale,
    ) -> Result<ValueId, HeIrError> {
        let name = name.into();
        let id = ValueId::new(self.program.nodes.len());
        verify::check_level(id, level, self.program.q.len())?;
        let value = CipherType { shape, level, scale, component_count: 2 };
        self.program.nodes.push(Node { source: name.clone(), op: Op::Input { name }, operands: vec![], value });
        Ok(id)
    }

    /// Says how images lie in ciphertexts; [`Packing::Batch`] unless said.
    pub fn packing(&mut self, packing: Packing) {
        self.program.packing = packing;
    }

    /// Appends `op`; `source` names the layer of the model it comes from.
    ///
    /// # Errors
    /// Operands that the operation cannot take.
    pub fn push(&mut self, op: Op, operands: &[ValueId], source: impl Into<String>) -> Result<ValueId, HeIrError> {
        let source = source.into();
        let index = self.program.nodes.len();
        let types = verify::operand_types(&self.program.nodes, operands, index)?;
        let value = verify::result_type(&op, &types, &self.program.q).map_err(|error| HeIrError::Op {
            verb: op.verb(),
            node: source.clone(),
            error,
        })?;
        self.program.nodes.push(Node { op, operands: operands.to_vec(), value, source });
        Ok(ValueId::new(index))
    }

    /// Appends a linear map whose result has this shape in the model.
    ///
    /// # Errors
    /// As [`Self::push`], and a shape with another number of elements.
    pub fn linear(
        &mut self,
        map: Arc<LinearMap>,
        operand: ValueId,
        shape: Vec<usize>,
        source: impl Into<String>,
    ) -> Result<ValueId, HeIrError> {
        let source = source.into();
        let (found, expected) = (shape.iter().product(), map.outputs());
        if found != expected {
            let error = crate::TypeError::Elements { what: "the shape", found, expected };
            return Err(HeIrError::Op { verb: "linear", node: source, error });
        }
        let id = self.push(Op::Linear { map }, &[operand], source)?;
        if let Some(node) = self.program.nodes.get_mut(id.index()) {
            node.value.shape = shape;
        }
        Ok(id)
    }

    /// Number of values built so far.
    pub fn len(&self) -> usize {
        self.program.nodes.len()
    }

    /// Whether nothing was built yet.
    pub fn is_empty(&self) -> bool {
        self.program.nodes.is_empty()
    }

    /// Type of a value built so far.
    pub fn value(&self, id: ValueId) -> Option<&CipherType> {
        self.program.node(id).map(Node::value)
    }

    /// Names a value as output.
    pub fn output(&mut self, name: impl Into<String>, value: ValueId) {
        self.program.outputs.push((name.into(), value));
    }

    /// The verified program.
    ///
    /// # Errors
    /// All that [`HeProgram::verify`] finds.
    pub fn finish(self) -> Result<HeProgram, Vec<HeIrError>> {
        self.program.verify()?;
        Ok(self.program)
    }
}
