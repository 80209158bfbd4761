//! Affine: any affine map over the flattened elements of each image.
//!
//! `x [batch, ...]` (as many elements as the map has inputs) to `[batch, shape...]`. Passes make it when they compose
//! linear layers; no model file has it.

use std::sync::Arc;

use super::{Attribute, AttributeError, Attributes, Operation, operands};
use crate::affine::{AffineBlock, AffineGroup, AffineMap};
use crate::{Dim, Shape, ShapeError, Tensor};

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
            return Err(ShapeError::Rank {
                what: "operand",
                expected: "at least 1".to_owned(),
                shape: x.clone(),
            });
        };
        let elements: usize = image.iter().filter_map(|dim| dim.fixed()).product();
        if elements != self.map.inputs() {
            return Err(ShapeError::mismatch(
                "elements of the operand and inputs of the map",
                x,
                self.map.inputs(),
            ));
        }
        let out = Shape::new(
            std::iter::once(first)
                .chain(self.output.iter().copied().map(Dim::Fixed))
                .collect(),
        )?;
        let produced: usize = self.output.iter().product();
        if produced != self.map.outputs() {
            return Err(ShapeError::mismatch(
                "elements of the output and outputs of the map",
                out,
                self.map.outputs(),
            ));
        }
        Ok(out)
    }

    fn evaluate(&self, inputs: &[&Tensor], _: &[usize], out: &mut [f64]) {
        for (x, y) in inputs[0]
            .data()
            .chunks(self.map.inputs())
            .zip(out.chunks_mut(self.map.outputs()))
        {
            let applied = self.map.apply_into(x, y);
            debug_assert!(applied.is_ok(), "the shape rule has checked both lengths");
        }
    }

    fn attributes(&self) -> Attributes {
        let map = &self.map;
        let record = |fields: Vec<(&str, Attribute)>| {
            Attribute::Record(
                fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect(),
            )
        };
        let list = |items: &[u32]| {
            Attribute::List(items.iter().map(|&i| Attribute::from(i as usize)).collect())
        };
        let blocks = map.blocks().iter().map(|block| {
            record(vec![
                ("rows", block.rows().into()),
                ("weights", block.weights().into()),
            ])
        });
        let groups = map.groups().iter().map(|group| {
            let fields = vec![
                ("in", list(&group.inputs)),
                ("out", list(&group.outputs)),
                ("block", group.block.into()),
            ];
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
        let blocks = attributes
            .take("blocks")?
            .list("blocks")?
            .into_iter()
            .map(|block| {
                let mut fields = fields("blocks", block)?;
                let rows = fields.take_size("rows")?;
                let weights = fields.take("weights")?.floats("weights")?;
                let columns = weights.len().checked_div(rows).unwrap_or(0);
                AffineBlock::new(rows, columns, weights).map_err(|e| refuse("blocks", e))
            });
        let blocks = blocks.collect::<Result<Vec<_>, _>>()?;
        let indices = |items: Vec<usize>| {
            items
                .into_iter()
                .map(|i| u32::try_from(i).unwrap_or(u32::MAX))
                .collect()
        };
        let groups = attributes
            .take("groups")?
            .list("groups")?
            .into_iter()
            .map(|group| {
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
        Ok(Self {
            map: Arc::new(map),
            output,
        })
    }
}

fn fields(key: &'static str, item: Attribute) -> Result<Attributes, AttributeError> {
    match item {
        Attribute::Record(fields) => Ok(Attributes(fields)),
        other => Err(AttributeError::Kind {
            attribute: key.to_owned(),
            expected: "a record",
            found: other.to_string(),
        }),
    }
}
