//! Dense `f64` tensors: constants of a graph, and what the interpreter computes with.

use crate::{Shape, ShapeError};

/// Dense values in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    dims: Vec<usize>,
    data: Vec<f64>,
}

impl Tensor {
    /// A tensor of extents `dims`, `data` in row-major order. Rank 0 is a scalar.
    ///
    /// # Errors
    /// When `data` does not have as many elements as `dims` say.
    pub fn new(dims: Vec<usize>, data: Vec<f64>) -> Result<Self, ShapeError> {
        let expected = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if expected != Some(data.len()) {
            return Err(ShapeError::ElementCount { dims, found: data.len() });
        }
        Ok(Self { dims, data })
    }

    /// A tensor of rank 0.
    pub fn scalar(value: f64) -> Self {
        Self { dims: Vec::new(), data: vec![value] }
    }

    /// A tensor of rank 1.
    pub fn vector(data: Vec<f64>) -> Self {
        Self { dims: vec![data.len()], data }
    }

    /// A tensor with every element `value`.
    ///
    /// # Errors
    /// When the number of elements does not fit a `usize`.
    pub fn filled(dims: Vec<usize>, value: f64) -> Result<Self, ShapeError> {
        let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        match count {
            Some(count) => Ok(Self { dims, data: vec![value; count] }),
            None => Err(ShapeError::ElementCount { dims, found: 0 }),
        }
    }

    /// Extents of all axes.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Elements in row-major order.
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// Elements in row-major order.
    pub fn data_mut(&mut self) -> &mut [f64] {
        &mut self.data
    }

    /// Elements in row-major order, by value.
    pub fn into_data(self) -> Vec<f64> {
        self.data
    }

    /// The same elements under other extents.
    ///
    /// # Errors
    /// When the number of elements differs.
    pub fn reshaped(self, dims: Vec<usize>) -> Result<Self, ShapeError> {
        Self::new(dims, self.data)
    }

    /// The shape, without a batch.
    ///
    /// # Errors
    /// An extent of 0 or too many elements: see [`Shape::new`].
    pub fn shape(&self) -> Result<Shape, ShapeError> {
        Shape::fixed(&self.dims)
    }
}
