//! Reshape: the same elements, row-major, under other extents.
//!
//! Inside a graph the target is a finished [`Shape`]. Model files write `0` for "as before" and `-1` for "what is
//! left", and the batch they were exported with: [`ReshapeTarget::resolve`] settles all three.

use super::{Attribute, AttributeError, Attributes, Operation, operands};
use crate::{Dim, Shape, ShapeError, Tensor};

/// The same elements under other extents; the batch stays the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reshape {
    /// Extents of the output.
    pub target: Shape,
}

impl Operation for Reshape {
    const NAME: &'static str = "reshape";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        let elements_differ = || ShapeError::mismatch("number of elements", x, &self.target);
        match (x.dims(), self.target.dims()) {
            // The batch stays; when it is bound to a number, that number stays.
            ([first, rest @ ..], [Dim::Batch, target @ ..]) => {
                let count = |dims: &[Dim]| dims.iter().filter_map(|dim| dim.fixed()).product::<usize>();
                if count(rest) != count(target) {
                    return Err(elements_differ());
                }
                Shape::new(std::iter::once(*first).chain(target.iter().copied()).collect())
            }
            (dims, _) if !dims.contains(&Dim::Batch) => {
                if x.elements_per_image() != self.target.elements_per_image() || self.target.is_batched() {
                    return Err(elements_differ());
                }
                Ok(self.target.clone())
            }
            _ => Err(ShapeError::mismatch("the batch cannot be reshaped away", x, &self.target)),
        }
    }

    fn evaluate(&self, inputs: &[&Tensor], _: &[usize], out: &mut [f64]) {
        out.copy_from_slice(inputs[0].data());
    }

    fn attributes(&self) -> Attributes {
        let dims = self.target.dims().iter().map(|dim| match dim {
            Dim::Batch => Attribute::Word("batch".to_owned()),
            Dim::Fixed(extent) => Attribute::from(*extent),
        });
        Attributes::default().with("to", Attribute::List(dims.collect()))
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        let list = attributes.take("to")?;
        let shown = list.to_string();
        let dims = list.list("to")?.into_iter().map(|item| match item {
            Attribute::Word(word) if word == "batch" => Ok(Dim::Batch),
            other => Ok(Dim::Fixed(other.size("to")?)),
        });
        let target = Shape::new(dims.collect::<Result<_, _>>()?).map_err(|_| AttributeError::Kind {
            attribute: "to".to_owned(),
            expected: "a shape",
            found: shown,
        })?;
        Ok(Self { target })
    }
}

/// A target as model files write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReshapeTarget {
    /// Extents; `0` copies the extent at the same axis of the input (unless `allow_zero`), one `-1` takes what is left.
    pub entries: Vec<i64>,
    /// Whether `0` means an extent of 0.
    pub allow_zero: bool,
    /// Batch that the model was exported with, if it says one.
    pub declared_batch: Option<usize>,
}

impl ReshapeTarget {
    /// The finished shape for an input.
    ///
    /// On a batched input the leading entry must keep the batch: `0`, the declared batch itself, or `-1` when the other
    /// entries hold exactly one image.
    ///
    /// # Errors
    /// Entries that do not describe the input's elements.
    pub fn resolve(&self, input: &Shape) -> Result<Reshape, ShapeError> {
        let refuse =
            |expected: &str| ShapeError::attribute("shape", expected, format!("{:?} for {input}", self.entries));
        let (batched, mut entries) = match self.entries.split_first() {
            Some((&first, rest)) if input.is_batched() => {
                let keeps = match first {
                    0 => !self.allow_zero,
                    -1 => true,
                    n => self.declared_batch.is_some_and(|batch| i64::try_from(batch) == Ok(n)),
                };
                if !keeps {
                    return Err(refuse("a leading 0, -1 or declared batch"));
                }
                (true, rest.to_vec())
            }
            _ if input.is_batched() => return Err(refuse("a leading entry for the batch")),
            _ => (false, self.entries.clone()),
        };
        if entries.len() > Shape::MAX_RANK {
            return Err(ShapeError::TooManyAxes { found: entries.len(), limit: Shape::MAX_RANK });
        }

        let skip = usize::from(batched);
        let mut known = 1usize;
        let mut open = None;
        for (i, entry) in entries.iter_mut().enumerate() {
            if *entry == 0 && !self.allow_zero {
                let copied = input.dims().get(i + skip).and_then(|dim| dim.fixed());
                *entry = i64::try_from(copied.ok_or_else(|| refuse("0 only where the input has an axis"))?)
                    .map_err(|_| refuse("smaller extents"))?;
            }
            match *entry {
                -1 if open.is_some() || (batched && self.entries.first() == Some(&-1)) => {
                    return Err(refuse("a single -1"));
                }
                -1 => open = Some(i),
                n => {
                    let extent =
                        usize::try_from(n).ok().filter(|&n| n > 0).ok_or_else(|| refuse("positive extents"))?;
                    known = known.checked_mul(extent).ok_or_else(|| refuse("smaller extents"))?;
                }
            }
        }
        let elements = input.elements_per_image();
        let left = elements / known;
        if left * known != elements || (open.is_none() && left != 1) {
            return Err(refuse("as many elements as the input"));
        }
        let extents = entries.iter().map(|&n| usize::try_from(n).unwrap_or(left)).map(Dim::Fixed);
        let target = Shape::new(std::iter::repeat_n(Dim::Batch, skip).chain(extents).collect())?;
        Ok(Reshape { target })
    }
}
