//! A program and its parameters as a file: what the key owner hands to the machine that runs it.
//!
//! Format: JSON, version 1, or 2 where an operation stands in it that version 1 had not (`relinearize_rescale`). Inputs carry their level and scale; the type of every other value is what the rules give when the file is read, by
//! the same builder that compilers use, so a file cannot state a wrong one. Linear maps stand in a table and may be shared. Nothing is taken on
//! trust: the file's size, every count and every shape are bounded before memory follows them.

use std::io;
use std::sync::Arc;

use he_params::{CkksParams, CkksParamsLiteral, Level, ParamsError, Scale};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    ClientFunction, GroupRef, Groups, HeIrError, HeProgram, HeProgramBuilder, LinearMap, Op, Packing, Refresh,
    RefreshGroup, ValueId, WeightBlock,
};

/// Largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 30;

/// Most elements of one value.
pub const MAX_ELEMENTS: usize = 1 << 24;

/// Most operations of a program.
pub const MAX_NODES: usize = 1 << 20;

/// The newest version.
const VERSION: u32 = 2;

/// The version without `relinearize_rescale`.
const FIRST_VERSION: u32 = 1;

/// Why a file is not a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortableError {
    /// Too long to be read at all.
    #[error("program file of {found} bytes, at most {max}")]
    TooLarge {
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not JSON, or not of this form.
    #[error("not a program file: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Written by another version.
    #[error("program file of version {found}, this reads versions {FIRST_VERSION} to {VERSION}")]
    Version {
        /// Version of the file.
        found: u32,
    },
    /// More than any program has.
    #[error("{found} {what}, at most {max}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many are allowed.
        max: usize,
    },
    /// A map that is not in the table.
    #[error("node {node} names linear map {map}, the file has {maps}")]
    NoSuchMap {
        /// Index of the node.
        node: usize,
        /// The map named.
        map: usize,
        /// Maps in the file.
        maps: usize,
    },
    /// Parameters that are refused.
    #[error("parameters: {0}")]
    Params(#[from] ParamsError),
    /// Primes of the program that are not those of its parameters.
    #[error("the program's {program} ciphertext primes are not the first of the parameters' {params}")]
    Primes {
        /// Primes of the program.
        program: usize,
        /// Primes of the parameters.
        params: usize,
    },
    /// An operation that breaks a rule.
    #[error(transparent)]
    Rule(#[from] HeIrError),
    /// A program that breaks rules as a whole.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Program(Vec<HeIrError>),
}

/// `M` is a [`FileMap`] that was read, or a map that is yet to be written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<M> {
    henge_program: u32,
    name: String,
    params: CkksParamsLiteral,
    q: Vec<u64>,
    /// N images in N/2 slots.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    complex_packed: bool,
    maps: Vec<M>,
    nodes: Vec<FileNode>,
    outputs: Vec<(String, u32)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileMap {
    inputs: usize,
    weight_scale: Scale,
    blocks: Vec<FileBlock>,
    groups: Vec<FileGroup>,
    bias: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBlock {
    rows: usize,
    columns: usize,
    weights: Vec<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileGroup {
    inputs: Vec<u32>,
    outputs: Vec<u32>,
    block: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileNode {
    op: FileOp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    operands: Vec<u32>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    source: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum FileOp {
    Input {
        name: String,
        shape: Vec<usize>,
        level: Level,
        scale: Scale,
    },
    Linear {
        map: usize,
        shape: Vec<usize>,
    },
    Add,
    Sub,
    Negate,
    AddConstant {
        values: Vec<f64>,
    },
    Mul,
    Square,
    Relinearize,
    Rescale,
    RelinearizeRescale,
    DropLevel {
        to: Level,
    },
    Gather {
        indices: Vec<u32>,
        shape: Vec<usize>,
    },
    Refresh {
        function: ClientFunction,
        /// Inputs and outputs of each group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        groups: Option<Vec<(Vec<u32>, Vec<u32>)>>,
        shape: Vec<usize>,
        level: Level,
        scale: Scale,
    },
}

/// A map that gets its form when its turn comes: a network's together are larger than all else that a program needs.
struct Unwritten<'a>(&'a LinearMap);

impl Serialize for Unwritten<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_map(self.0).serialize(serializer)
    }
}

/// A program and the parameters it was placed on, as the bytes of a file.
///
/// # Errors
/// Only when the writer of JSON fails.
pub fn to_bytes(program: &HeProgram, params: &CkksParamsLiteral) -> Result<Vec<u8>, PortableError> {
    let mut bytes = Vec::new();
    write(program, params, &mut bytes)?;
    Ok(bytes)
}

/// Writes what [`to_bytes`] gives, in small pieces.
///
/// # Errors
/// When the writer of JSON fails, or `to`.
pub fn write(program: &HeProgram, params: &CkksParamsLiteral, to: impl io::Write) -> Result<(), PortableError> {
    let mut maps: Vec<Arc<LinearMap>> = Vec::new();
    let mut nodes = Vec::with_capacity(program.nodes().len());
    for node in program.nodes() {
        let shape = node.value().shape.clone();
        let op = match node.op() {
            Op::Input { name } => {
                FileOp::Input { name: name.clone(), shape, level: node.value().level, scale: node.value().scale }
            }
            Op::Linear { map } => {
                let known = maps.iter().position(|m| Arc::ptr_eq(m, map));
                let index = known.unwrap_or_else(|| {
                    maps.push(Arc::clone(map));
                    maps.len() - 1
                });
                FileOp::Linear { map: index, shape }
            }
            Op::Add => FileOp::Add,
            Op::Sub => FileOp::Sub,
            Op::Negate => FileOp::Negate,
            Op::AddConstant { values } => FileOp::AddConstant { values: values.to_vec() },
            Op::Mul => FileOp::Mul,
            Op::Square => FileOp::Square,
            Op::Relinearize => FileOp::Relinearize,
            Op::Rescale => FileOp::Rescale,
            Op::RelinearizeRescale => FileOp::RelinearizeRescale,
            Op::DropLevel { to } => FileOp::DropLevel { to: *to },
            Op::Gather { indices, .. } => FileOp::Gather { indices: indices.to_vec(), shape },
            Op::Refresh { refresh } => FileOp::Refresh {
                function: refresh.function,
                groups: refresh
                    .groups
                    .as_ref()
                    .map(|groups| groups.iter().map(|g| (g.inputs.clone(), g.outputs.clone())).collect()),
                shape,
                level: refresh.level,
                scale: refresh.scale,
            },
        };
        let operands = node.operands().iter().map(|id| id.index() as u32).collect();
        let source = if matches!(op, FileOp::Input { .. }) { String::new() } else { node.source().to_owned() };
        nodes.push(FileNode { op, operands, source });
    }
    let is_new = program.nodes().iter().any(|node| matches!(node.op(), Op::RelinearizeRescale));
    let file = File {
        henge_program: if is_new { VERSION } else { FIRST_VERSION },
        name: program.name().to_owned(),
        params: params.clone(),
        q: program.q().to_vec(),
        complex_packed: program.packing() == Packing::Complex,
        maps: maps.iter().map(|map| Unwritten(map)).collect(),
        nodes,
        outputs: program.outputs().iter().map(|(name, id)| (name.clone(), id.index() as u32)).collect(),
    };
    Ok(serde_json::to_writer(to, &file)?)
}

/// Reads bytes that nobody vouches for: a verified program, and parameters that passed every check.
///
/// # Errors
/// See [`PortableError`].
pub fn from_bytes(bytes: &[u8]) -> Result<(HeProgram, CkksParams), PortableError> {
    if bytes.len() > MAX_BYTES {
        return Err(PortableError::TooLarge { found: bytes.len(), max: MAX_BYTES });
    }
    let file: File<FileMap> = serde_json::from_slice(bytes)?;
    if !(FIRST_VERSION..=VERSION).contains(&file.henge_program) {
        return Err(PortableError::Version { found: file.henge_program });
    }
    let params = CkksParams::try_from(file.params)?;
    if file.q.is_empty() || !params.q().starts_with(&file.q) {
        return Err(PortableError::Primes { program: file.q.len(), params: params.q().len() });
    }
    bounded("operations", file.nodes.len(), MAX_NODES)?;
    let maps = file.maps.into_iter().map(|map| read_map(map).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let mut builder = HeProgramBuilder::new(file.name, file.q);
    builder.packing(if file.complex_packed { Packing::Complex } else { Packing::Batch });
    for (index, node) in file.nodes.into_iter().enumerate() {
        let operands: Vec<ValueId> = node.operands.iter().map(|&id| ValueId::new(id as usize)).collect();
        push(&mut builder, index, node, &operands, &maps)?;
    }
    for (name, id) in file.outputs {
        builder.output(name, ValueId::new(id as usize));
    }
    Ok((builder.finish().map_err(PortableError::Program)?, params))
}

fn push(
    builder: &mut HeProgramBuilder,
    index: usize,
    node: FileNode,
    operands: &[ValueId],
    maps: &[Arc<LinearMap>],
) -> Result<(), PortableError> {
    let op = match node.op {
        FileOp::Input { name, shape, level, scale } => {
            bounded_shape(&shape)?;
            builder.input(name, shape, level, scale)?;
            return Ok(());
        }
        FileOp::Linear { map, shape } => {
            bounded_shape(&shape)?;
            let found = maps.get(map).ok_or(PortableError::NoSuchMap { node: index, map, maps: maps.len() })?;
            let &[operand] = operands else {
                let error = crate::TypeError::Arity { expected: 1, found: operands.len() };
                return Err(HeIrError::Op { verb: "linear", node: node.source, error }.into());
            };
            builder.linear(Arc::clone(found), operand, shape, node.source)?;
            return Ok(());
        }
        FileOp::Gather { indices, shape } => {
            bounded_shape(&shape)?;
            Op::Gather { indices: Arc::new(indices), shape }
        }
        FileOp::Refresh { function, groups, shape, level, scale } => {
            bounded_shape(&shape)?;
            let group = |(inputs, outputs)| RefreshGroup { inputs, outputs };
            let groups = groups.map(|groups| groups.into_iter().map(group).collect());
            Op::Refresh { refresh: Arc::new(Refresh { function, groups, shape, level, scale }) }
        }
        FileOp::AddConstant { values } => Op::AddConstant { values: Arc::new(values) },
        FileOp::DropLevel { to } => Op::DropLevel { to },
        FileOp::Add => Op::Add,
        FileOp::Sub => Op::Sub,
        FileOp::Negate => Op::Negate,
        FileOp::Mul => Op::Mul,
        FileOp::Square => Op::Square,
        FileOp::Relinearize => Op::Relinearize,
        FileOp::Rescale => Op::Rescale,
        FileOp::RelinearizeRescale => Op::RelinearizeRescale,
    };
    builder.push(op, operands, node.source)?;
    Ok(())
}

fn bounded(what: &'static str, found: usize, max: usize) -> Result<(), PortableError> {
    if found > max { Err(PortableError::TooMany { what, found, max }) } else { Ok(()) }
}

fn bounded_shape(shape: &[usize]) -> Result<(), PortableError> {
    let elements = shape.iter().try_fold(1usize, |product, &d| product.checked_mul(d)).unwrap_or(usize::MAX);
    bounded("elements of a value", elements, MAX_ELEMENTS)
}

fn write_map(map: &LinearMap) -> FileMap {
    let block = |b: &WeightBlock| FileBlock { rows: b.rows(), columns: b.columns(), weights: b.weights().to_vec() };
    let group = |g: GroupRef<'_>| FileGroup { inputs: g.inputs.to_vec(), outputs: g.outputs.to_vec(), block: g.block };
    FileMap {
        inputs: map.inputs(),
        weight_scale: map.weight_scale(),
        blocks: map.blocks().iter().map(block).collect(),
        groups: map.groups().iter().map(group).collect(),
        bias: map.bias().to_vec(),
    }
}

fn read_map(map: FileMap) -> Result<LinearMap, PortableError> {
    bounded("inputs of a linear map", map.inputs, MAX_ELEMENTS)?;
    let block = |b: FileBlock| WeightBlock::new(b.rows, b.columns, b.weights);
    let blocks = map.blocks.into_iter().map(block).collect::<Result<Vec<_>, _>>()?;
    let mut groups = Groups::default();
    map.groups.into_iter().for_each(|g| groups.push(g.inputs, g.outputs, g.block));
    groups.shrink_to_fit();
    Ok(LinearMap::new(map.inputs, blocks, groups, map.bias, map.weight_scale)?)
}

#[cfg(test)]
mod tests;
