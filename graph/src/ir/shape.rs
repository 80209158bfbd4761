//! Shapes with a symbolic batch.
//!
//! Layout: row-major, axis 0 outermost. [`Dim::Batch`] may stand at axis 0 only; everything behind it is one image.

use std::fmt;

use crate::ShapeError;

/// Extent of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// Number of images: not known until the graph runs.
    Batch,
    /// A known extent, at least 1.
    Fixed(usize),
}

impl Dim {
    /// The extent, if it is known.
    pub fn fixed(self) -> Option<usize> {
        match self {
            Dim::Batch => None,
            Dim::Fixed(extent) => Some(extent),
        }
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Batch => f.write_str("batch"),
            Dim::Fixed(extent) => write!(f, "{extent}"),
        }
    }
}

/// Extents of all axes of a value; at most [`Shape::MAX_ELEMENTS`] elements per image, none of the extents 0.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Shape(Vec<Dim>);

impl Shape {
    /// Most elements one image (or one constant) may have: 2 GiB of `f64`.
    pub const MAX_ELEMENTS: usize = 1 << 28;
    /// Most axes a shape may have.
    pub const MAX_RANK: usize = 16;

    /// A checked shape.
    ///
    /// # Errors
    /// An extent of 0, a batch anywhere but at axis 0, more than [`Shape::MAX_ELEMENTS`] elements or
    /// [`Shape::MAX_RANK`] axes.
    pub fn new(dims: Vec<Dim>) -> Result<Self, ShapeError> {
        if dims.len() > Self::MAX_RANK {
            return Err(ShapeError::TooManyAxes { found: dims.len(), limit: Self::MAX_RANK });
        }
        let mut elements = 1usize;
        for (axis, dim) in dims.iter().enumerate() {
            match *dim {
                Dim::Batch if axis == 0 => {}
                Dim::Batch => return Err(ShapeError::BatchAxis { axis }),
                Dim::Fixed(0) => return Err(ShapeError::EmptyAxis { axis }),
                Dim::Fixed(extent) => {
                    elements = elements.checked_mul(extent).filter(|&n| n <= Self::MAX_ELEMENTS).ok_or_else(|| {
                        ShapeError::TooLarge { shape: DisplayDims(&dims).to_string(), limit: Self::MAX_ELEMENTS }
                    })?;
                }
            }
        }
        Ok(Self(dims))
    }

    /// A shape without a batch: `[dims...]`.
    ///
    /// # Errors
    /// As [`Shape::new`].
    pub fn fixed(dims: &[usize]) -> Result<Self, ShapeError> {
        Self::new(dims.iter().copied().map(Dim::Fixed).collect())
    }

    /// The shape of a batch of images: `[batch, dims...]`.
    ///
    /// # Errors
    /// As [`Shape::new`].
    pub fn batched(dims: &[usize]) -> Result<Self, ShapeError> {
        Self::new(std::iter::once(Dim::Batch).chain(dims.iter().copied().map(Dim::Fixed)).collect())
    }

    /// All axes.
    pub fn dims(&self) -> &[Dim] {
        &self.0
    }

    /// Number of axes, the batch included.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Whether axis 0 is the batch.
    pub fn is_batched(&self) -> bool {
        self.0.first() == Some(&Dim::Batch)
    }

    /// Extents of one image: all axes but the batch.
    pub fn per_image(&self) -> Vec<usize> {
        self.0.iter().filter_map(|dim| dim.fixed()).collect()
    }

    /// Number of elements of one image; of the whole value when there is no batch.
    pub fn elements_per_image(&self) -> usize {
        self.0.iter().filter_map(|dim| dim.fixed()).product()
    }

    /// Extents once the number of images is known.
    pub fn with_batch(&self, images: usize) -> Vec<usize> {
        self.0.iter().map(|dim| dim.fixed().unwrap_or(images)).collect()
    }
}

/// `[batch, 5, 13, 13]`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        DisplayDims(&self.0).fmt(f)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct DisplayDims<'a>(&'a [Dim]);

impl fmt::Display for DisplayDims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (axis, dim) in self.0.iter().enumerate() {
            if axis > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{dim}")?;
        }
        f.write_str("]")
    }
}
