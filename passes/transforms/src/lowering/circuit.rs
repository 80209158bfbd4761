//! The arithmetic circuit of a network: products and affine maps over tensors, before any level or scale.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use graph::affine::AffineMap;

use he_params::Packing;

use super::ClientGate;

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
    /// Decrypted, computed and encrypted afresh by the key owner; what it reads needs no level, what it gives has all it needs.
    Client(Arc<ClientGate>),
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
            Gate::Client(_) => "refresh",
        }
    }

    /// The level at which operands are read when the result stands at `level`.
    pub fn operand_level(&self, level: usize) -> usize {
        if matches!(self, Gate::Client(_)) { 0 } else { level + self.levels() }
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
    /// How images lie in slots, as [`crate::complex_packing`] decided.
    pub packing: Packing,
}

impl Circuit {
    /// For each value the lowest level it may have: 0 for an output or where the key owner reads it, and one more than its user's wherever the
    /// user multiplies.
    /// Largest entry: the depth of the circuit.
    pub fn required_levels(&self) -> Vec<usize> {
        let mut required = vec![0; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let operand_level = node.gate.operand_level(required[index]);
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

    /// For each level up to the depth whether a product reads its operands there; entry 0 is false.
    pub fn product_levels(&self) -> Vec<bool> {
        let required = self.required_levels();
        let mut levels = vec![false; self.depth() + 1];
        for (index, node) in self.nodes.iter().enumerate() {
            if matches!(node.gate, Gate::Mul | Gate::Square) {
                levels[required[index] + 1] = true;
            }
        }
        levels
    }

    /// Outputs that a linear map makes and nothing else reads.
    pub fn linear_outputs(&self) -> impl Iterator<Item = usize> {
        let uses = self.use_counts();
        let is_free = move |&index: &usize| uses[index] == 1 && matches!(self.nodes[index].gate, Gate::Linear(_));
        self.outputs.iter().map(|(_, index)| *index).filter(is_free)
    }

    /// Runs one image through the circuit in `f64`: inputs by name, all values in order.
    ///
    /// # Errors
    /// The name and expected length of an input that is absent or has another length.
    pub fn evaluate(&self, inputs: &HashMap<String, Vec<f64>>) -> Result<Vec<Vec<f64>>, InputError> {
        let mut values: Vec<Vec<f64>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let x = node.operands.first().map_or(&[] as &[f64], |&i| &values[i]);
            let y = node.operands.get(1).map_or(x, |&i| &values[i]);
            let zip = |f: fn(f64, f64) -> f64| x.iter().zip(y).map(|(&x, &y)| f(x, y)).collect();
            let value = match &node.gate {
                Gate::Input { name } => match inputs.get(name) {
                    Some(x) if x.len() == node.elements() => x.clone(),
                    given => {
                        let found = given.map(Vec::len);
                        return Err(InputError { name: name.clone(), found, expected: node.elements() });
                    }
                },
                // Shapes were checked when the circuit was made.
                Gate::Linear(map) => map.apply(x).unwrap_or_default(),
                Gate::Add => zip(|x, y| x + y),
                Gate::Sub => zip(|x, y| x - y),
                Gate::Mul | Gate::Square => zip(|x, y| x * y),
                Gate::Negate => x.iter().map(|x| -x).collect(),
                Gate::AddConstant(values) => x.iter().zip(values.iter()).map(|(x, c)| x + c).collect(),
                Gate::Gather(indices) => indices.iter().map(|&i| x[i as usize]).collect(),
                Gate::Client(client) => match node.operands.as_slice() {
                    [_] => client.evaluate(x, node.elements()),
                    many => client
                        .evaluate(&many.iter().flat_map(|&i| &values[i]).copied().collect::<Vec<_>>(), node.elements()),
                },
            };
            values.push(value);
        }
        Ok(values)
    }

    /// Whether the key owner computes anything.
    pub fn is_client_aided(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.gate, Gate::Client(_)))
    }

    /// Whether a ciphertext is multiplied by a ciphertext.
    pub fn multiplies(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.gate, Gate::Mul | Gate::Square))
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

/// An input that does not fit the circuit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("input {name:?} has {} numbers, expected {expected}", found.map_or("no".to_owned(), |n| n.to_string()))]
pub struct InputError {
    /// Name of the input.
    pub name: String,
    /// Numbers given; `None` when it is absent.
    pub found: Option<usize>,
    /// Elements of the input.
    pub expected: usize,
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
                Gate::Client(client) => write!(f, " {}", client.function.name())?,
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
