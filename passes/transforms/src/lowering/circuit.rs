//! The arithmetic circuit of a network: products and affine maps over tensors, before any level or scale.

use std::fmt;
use std::sync::Arc;

use graph::affine::AffineMap;

/// One operation of a circuit. Operands stand in the node.
#[derive(Clone, Debug, PartialEq)]
pub enum Gate {
    /// What the key owner encrypts.
    Input {
        /// Name of the model's input.
        name: String,
    },
    /// Weighted sums and a bias; costs one level.
    Linear(Arc<AffineMap>),
    /// Element-wise sum of two values.
    Add,
    /// Element-wise difference of two values.
    Sub,
    /// Sign change.
    Negate,
    /// Adds one number to each element.
    AddConstant(Arc<Vec<f64>>),
    /// Element-wise product of two values; costs one level.
    Mul,
    /// Element-wise square; costs one level.
    Square,
    /// Element i of the result is element `indices[i]` of the operand.
    Gather(Arc<Vec<u32>>),
}

impl Gate {
    /// The verb in the text form.
    pub fn verb(&self) -> &'static str {
        match self {
            Gate::Input { .. } => "input",
            Gate::Linear(_) => "linear",
            Gate::Add => "add",
            Gate::Sub => "sub",
            Gate::Negate => "negate",
            Gate::AddConstant(_) => "add_constant",
            Gate::Mul => "mul",
            Gate::Square => "square",
            Gate::Gather(_) => "gather",
        }
    }

    /// Levels that the operation costs: 1 where scales multiply.
    pub fn levels(&self) -> usize {
        usize::from(matches!(self, Gate::Linear(_) | Gate::Mul | Gate::Square))
    }
}

/// An operation, what it reads and the shape of what it computes.
#[derive(Clone, Debug, PartialEq)]
pub struct CircuitNode {
    /// The operation.
    pub gate: Gate,
    /// Indices of earlier nodes.
    pub operands: Vec<usize>,
    /// Extents of one image's result.
    pub shape: Vec<usize>,
    /// Name of the layer of the model.
    pub source: String,
}

impl CircuitNode {
    /// Elements of one image's result.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Operations in the order in which they run; node i defines value i.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Circuit {
    /// Name of the network.
    pub name: String,
    /// All operations, operands before users.
    pub nodes: Vec<CircuitNode>,
    /// Name and node of each output.
    pub outputs: Vec<(String, usize)>,
}

impl Circuit {
    /// For each value the lowest level it may have: 0 for an output, and one more than its user's wherever the user multiplies.
    /// Largest entry: the depth of the circuit.
    pub fn required_levels(&self) -> Vec<usize> {
        let mut required = vec![0; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let operand_level = required[index] + node.gate.levels();
            for &operand in &node.operands {
                required[operand] = required[operand].max(operand_level);
            }
        }
        required
    }

    /// Multiplicative depth: levels needed above the bottom one.
    pub fn depth(&self) -> usize {
        self.required_levels().into_iter().max().unwrap_or(0)
    }

    /// How often each value is read, outputs included.
    pub fn use_counts(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        let operands = self.nodes.iter().flat_map(|n| &n.operands).copied();
        for index in operands.chain(self.outputs.iter().map(|(_, index)| *index)) {
            uses[index] += 1;
        }
        uses
    }
}

impl fmt::Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "circuit {:?}", self.name)?;
        for (index, node) in self.nodes.iter().enumerate() {
            write!(f, "%{index} = {}", node.gate.verb())?;
            for operand in &node.operands {
                write!(f, " %{operand}")?;
            }
            match &node.gate {
                Gate::Input { name } => write!(f, " {name:?}")?,
                Gate::Linear(map) => write!(
                    f,
                    " {{{} groups, {} blocks, {} multiplications}}",
                    map.groups().len(),
                    map.blocks().len(),
                    map.multiplications()
                )?,
                _ => {}
            }
            let shape: Vec<String> = node.shape.iter().map(usize::to_string).collect();
            write!(f, " : [{}]", shape.join("x"))?;
            if !matches!(node.gate, Gate::Input { .. }) {
                write!(f, "  # {}", node.source)?;
            }
            writeln!(f)?;
        }
        for (name, index) in &self.outputs {
            writeln!(f, "output {name:?} %{index}")?;
        }
        Ok(())
    }
}
