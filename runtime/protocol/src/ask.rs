//! What a server asks of a client.

use he_ir::{ClientFunction, RefreshGroup};
use he_params::{Level, Scale};

use crate::description::place;
use crate::error::at_most;
use crate::{Description, ProtocolError, limits, v1};

/// What the client is to encrypt.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Elements of an input.
    Input {
        /// Position among the inputs.
        input: usize,
        /// Its elements, in order.
        elements: Vec<u32>,
    },
    /// A function of ciphertexts that follow.
    Refresh {
        /// Node of the program.
        node: usize,
        /// What to compute.
        function: ClientFunction,
        /// Which values meet, and which results they give; without groups, result i comes from value i.
        groups: Option<Vec<RefreshGroup>>,
        /// Length of the ciphertexts that follow.
        bytes: u64,
    },
}

/// A numbered request, and what the answer must look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// 0, 1, 2, ..
    pub sequence: u64,
    /// Ciphertexts to come back.
    pub results: usize,
    /// Their level.
    pub level: Level,
    /// Their scale.
    pub scale: Scale,
    /// What is asked for.
    pub what: Asked,
}

impl Ask {
    /// What came from a server, held against the bounds and against what the model was described to be. That indices are in range of the tile is checked
    /// when the tile is there.
    ///
    /// # Errors
    /// [`ProtocolError`] names the field.
    pub fn check(ask: v1::Ask, model: &Description) -> Result<Self, ProtocolError> {
        let results = ask.results as usize;
        at_most("results", results, model.tile_values)?;
        let (level, scale) = place(&model.params, ask.level, ask.scale)?;
        let what = match ask.what.ok_or(ProtocolError::Missing { field: "what is asked" })? {
            v1::ask::What::Input(tile) => {
                if tile.elements.len() != results {
                    let found = format!("{} elements, expected {results}", tile.elements.len());
                    return Err(ProtocolError::Value { field: "input tile", found });
                }
                let input = tile.input as usize;
                let port = model.inputs.get(input).ok_or_else(|| ProtocolError::TooMuch {
                    field: "input",
                    found: u64::from(tile.input),
                    max: model.inputs.len().saturating_sub(1) as u64,
                })?;
                if let Some(&element) = tile.elements.iter().find(|&&e| e as usize >= port.elements()) {
                    let (found, max) = (u64::from(element), port.elements().saturating_sub(1) as u64);
                    return Err(ProtocolError::TooMuch { field: "element of an input", found, max });
                }
                Asked::Input { input, elements: tile.elements }
            }
            v1::ask::What::Refresh(_) if model.refreshes == 0 => {
                return Err(ProtocolError::Unexpected { found: "a refresh", expected: "requests for inputs alone" });
            }
            v1::ask::What::Refresh(tile) => {
                let function = function(&tile)?;
                // Each group gives a result of its own.
                at_most("groups", tile.reads.len(), results)?;
                at_most("group indices", tile.inputs.len().max(tile.outputs.len()), limits::GROUP_INDICES)?;
                let (node, bytes) = (tile.node as usize, tile.bytes);
                Asked::Refresh { node, function, groups: groups(tile)?, bytes }
            }
        };
        Ok(Self { sequence: ask.sequence, results, level, scale, what })
    }
}

/// The groups of a tile; no indices at all means none.
fn groups(tile: v1::RefreshTile) -> Result<Option<Vec<RefreshGroup>>, ProtocolError> {
    let v1::RefreshTile { reads, writes, inputs, outputs, .. } = tile;
    let refuse = |found: String| Err(ProtocolError::Value { field: "groups", found });
    if reads.len() != writes.len() {
        return refuse(format!("{} that read, {} that write", reads.len(), writes.len()));
    }
    for (counts, indices) in [(&reads, &inputs), (&writes, &outputs)] {
        let sum: u64 = counts.iter().map(|&n| u64::from(n)).sum();
        if sum != indices.len() as u64 {
            return refuse(format!("of {sum} values, {} indices", indices.len()));
        }
    }
    if reads.is_empty() {
        return Ok(None);
    }
    if let Some(empty) = reads.iter().zip(&writes).position(|(&reads, &writes)| reads == 0 || writes == 0) {
        return refuse(format!("empty at {empty}, expected each to read and to write"));
    }
    let (mut inputs, mut outputs) = (inputs.as_slice(), outputs.as_slice());
    let mut take = |reads: u32, writes: u32| {
        let (read, written);
        (read, inputs) = inputs.split_at_checked(reads as usize)?;
        (written, outputs) = outputs.split_at_checked(writes as usize)?;
        Some(RefreshGroup { inputs: read.to_vec(), outputs: written.to_vec() })
    };
    let groups: Option<Vec<_>> = reads.iter().zip(&writes).map(|(r, w)| take(*r, *w)).collect();
    groups.map(Some).ok_or(ProtocolError::Missing { field: "group indices" })
}

fn function(tile: &v1::RefreshTile) -> Result<ClientFunction, ProtocolError> {
    use v1::Function as F;
    let constant = tile.constant;
    let function = match tile.function() {
        F::Identity => ClientFunction::Identity,
        F::Relu => ClientFunction::Relu,
        F::BoundedRelu => ClientFunction::BoundedRelu { max: constant },
        F::LeakyRelu => ClientFunction::LeakyRelu { alpha: constant },
        F::Sigmoid => ClientFunction::Sigmoid,
        F::Tanh => ClientFunction::Tanh,
        F::Exp => ClientFunction::Exp,
        F::Power => ClientFunction::Power { exponent: constant },
        F::Max => ClientFunction::Max,
        F::ArgMax => ClientFunction::ArgMax,
        F::Softmax => ClientFunction::Softmax,
        F::Divide => ClientFunction::Divide,
        F::Unspecified => {
            return Err(ProtocolError::Value { field: "function", found: format!("number {}", tile.function) });
        }
    };
    match function.bad_constant() {
        Some(constant) => {
            Err(ProtocolError::Value { field: "constant", found: format!("{constant}, of {}", function.name()) })
        }
        None => Ok(function),
    }
}

impl TryFrom<Ask> for v1::Ask {
    type Error = ProtocolError;

    fn try_from(ask: Ask) -> Result<Self, ProtocolError> {
        at_most("results", ask.results, limits::TILE_VALUES)?;
        let what = match ask.what {
            Asked::Input { input, elements } => v1::ask::What::Input(v1::InputTile { input: input as u32, elements }),
            Asked::Refresh { node, function, groups, bytes } => {
                let (function, constant) = encoded(function)?;
                let mut tile = v1::RefreshTile {
                    node: node as u32,
                    function: function as i32,
                    constant,
                    bytes,
                    ..v1::RefreshTile::default()
                };
                for group in groups.iter().flatten() {
                    tile.reads.push(group.inputs.len() as u32);
                    tile.writes.push(group.outputs.len() as u32);
                    tile.inputs.extend_from_slice(&group.inputs);
                    tile.outputs.extend_from_slice(&group.outputs);
                }
                at_most("group indices", tile.inputs.len().max(tile.outputs.len()), limits::GROUP_INDICES)?;
                v1::ask::What::Refresh(tile)
            }
        };
        Ok(Self {
            sequence: ask.sequence,
            results: ask.results as u32,
            level: u32::from(ask.level.get()),
            scale: ask.scale.get(),
            what: Some(what),
        })
    }
}

fn encoded(function: ClientFunction) -> Result<(v1::Function, f64), ProtocolError> {
    use v1::Function as F;
    Ok(match function {
        ClientFunction::Identity => (F::Identity, 0.0),
        ClientFunction::Relu => (F::Relu, 0.0),
        ClientFunction::BoundedRelu { max } => (F::BoundedRelu, max),
        ClientFunction::LeakyRelu { alpha } => (F::LeakyRelu, alpha),
        ClientFunction::Sigmoid => (F::Sigmoid, 0.0),
        ClientFunction::Tanh => (F::Tanh, 0.0),
        ClientFunction::Exp => (F::Exp, 0.0),
        ClientFunction::Power { exponent } => (F::Power, exponent),
        ClientFunction::Max => (F::Max, 0.0),
        ClientFunction::ArgMax => (F::ArgMax, 0.0),
        ClientFunction::Softmax => (F::Softmax, 0.0),
        ClientFunction::Divide => (F::Divide, 0.0),
        other => return Err(ProtocolError::Value { field: "function", found: other.name().to_owned() }),
    })
}
