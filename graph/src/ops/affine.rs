//! Affine: any affine map over the flattened elements of each image.
//!
//! `x [batch, ...]` (as many elements as the map has inputs) to `[batch, shape...]`. Passes make it when they compose
//! linear layers; no model file has it.

use std::sync::Arc;

use super::{Attribute, AttributeError, Attributes, Operation, operands};
use crate::affine::{AffineBlock, AffineGroup, AffineMap};
use crate::text::Digest;
use crate::{Dim, Shape, ShapeError, Tensor};

/// A map of more numbers is shown by its sizes and a digest, and cannot be parsed back.
const TEXT_NUMBERS: usize = 512;

/// An affine map with the extents that its outputs take.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// The map.
    pub map: Arc<AffineMap>,
    /// Extents of one output image.
    pub output: Vec<usize>,
}

impl Operation for Affine {
    const NAME: &'static str = "affine";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        let Some((&first, image)) = x.dims().split_first() else {
            return Err(ShapeError::Rank { what: "operand", expected: "at least 1".to_owned(), shape: x.clone() });
        };
        let elements: usize = image.iter().filter_map(|dim| dim.fixed()).product();
        if elements != self.map.inputs() {
            return Err(ShapeError::mismatch("elements of the operand and inputs of the map", x, self.map.inputs()));
        }
        let out = Shape::new(std::iter::once(first).chain(self.output.iter().copied().map(Dim::Fixed)).collect())?;
        let produced: usize = self.output.iter().product();
        if produced != self.map.outputs() {
            return Err(ShapeError::mismatch("elements of the output and outputs of the map", out, self.map.outputs()));
        }
        Ok(out)
    }

    fn evaluate(&self, inputs: &[&Tensor], _: &[usize], out: &mut [f64]) {
        for (x, y) in inputs[0].data().chunks(self.map.inputs()).zip(out.chunks_mut(self.map.outputs())) {
            let applied = self.map.apply_into(x, y);
            debug_assert!(applied.is_ok(), "the shape rule has checked both lengths");
        }
    }

    fn attributes(&self) -> Attributes {
        let map = &self.map;
        if size_in_text(map) > TEXT_NUMBERS {
            return Attributes::default()
                .with("output", self.output.as_slice())
                .with("inputs", map.inputs())
                .with("blocks", map.blocks().len())
                .with("groups", map.groups().len())
                .with("multiplications", map.multiplications())
                .with("digest", Attribute::Word(digest(map)));
        }
        let record = |fields: Vec<(&str, Attribute)>| {
            Attribute::Record(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
        };
        let list = |items: &[u32]| Attribute::List(items.iter().map(|&i| Attribute::from(i as usize)).collect());
        let blocks = map
            .blocks()
            .iter()
            .map(|block| record(vec![("rows", block.rows().into()), ("weights", block.weights().into())]));
        let groups = map.groups().iter().map(|group| {
            let fields =
                vec![("in", list(&group.inputs)), ("out", list(&group.outputs)), ("block", group.block.into())];
            record(fields)
        });
        Attributes::default()
            .with("output", self.output.as_slice())
            .with("inputs", map.inputs())
            .with("blocks", Attribute::List(blocks.collect()))
            .with("groups", Attribute::List(groups.collect()))
            .with("bias", map.bias())
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        let output = attributes.take_sizes("output")?;
        let inputs = attributes.take_size("inputs")?;
        let refuse = |attribute: &str, source: ShapeError| AttributeError::Kind {
            attribute: attribute.to_owned(),
            expected: "a map",
            found: source.to_string(),
        };
        let blocks = attributes.take("blocks")?.list("blocks")?.into_iter().map(|block| {
            let mut fields = fields("blocks", block)?;
            let rows = fields.take_size("rows")?;
            let weights = fields.take("weights")?.floats("weights")?;
            let columns = weights.len().checked_div(rows).unwrap_or(0);
            AffineBlock::new(rows, columns, weights).map_err(|e| refuse("blocks", e))
        });
        let blocks = blocks.collect::<Result<Vec<_>, _>>()?;
        let indices = |items: Vec<usize>| items.into_iter().map(|i| u32::try_from(i).unwrap_or(u32::MAX)).collect();
        let groups = attributes.take("groups")?.list("groups")?.into_iter().map(|group| {
            let mut fields = fields("groups", group)?;
            Ok(AffineGroup {
                inputs: indices(fields.take_sizes("in")?),
                outputs: indices(fields.take_sizes("out")?),
                block: fields.take_size("block")?,
            })
        });
        let groups = groups.collect::<Result<Vec<_>, AttributeError>>()?;
        let bias = attributes.take("bias")?.floats("bias")?;
        let map = AffineMap::new(inputs, blocks, groups, bias).map_err(|e| refuse("groups", e))?;
        Ok(Self { map: Arc::new(map), output })
    }
}

/// Numbers that the full text form of a map has.
fn size_in_text(map: &AffineMap) -> usize {
    let blocks: usize = map.blocks().iter().map(|block| block.weights().len()).sum();
    let groups: usize = map.groups().iter().map(|group| group.inputs.len() + group.outputs.len()).sum();
    blocks + groups + map.bias().len()
}

fn digest(map: &AffineMap) -> String {
    let mut digest = Digest::default();
    digest.sizes(&[map.inputs(), map.blocks().len(), map.groups().len()]);
    for block in map.blocks() {
        digest.sizes(&[block.rows(), block.columns()]);
        digest.numbers(block.weights());
    }
    for group in map.groups() {
        let elements: Vec<usize> = group.inputs.iter().chain(&group.outputs).map(|&i| i as usize).collect();
        digest.sizes(&elements);
        digest.sizes(&[group.block]);
    }
    digest.numbers(map.bias());
    digest.finish()
}

fn fields(key: &'static str, item: Attribute) -> Result<Attributes, AttributeError> {
    match item {
        Attribute::Record(fields) => Ok(Attributes(fields)),
        other => {
            Err(AttributeError::Kind { attribute: key.to_owned(), expected: "a record", found: other.to_string() })
        }
    }
}
