//! MaxPool: the largest element of each window, channel by channel.
//!
//! `x [batch, C, D...] -> [batch, C, P...]`. The border is not there: it never wins, and a window that sees nothing
//! but border is refused.

use super::elementwise::larger;
use super::window::Window;
use super::{AttributeError, Attributes, Operation, operands};
use crate::{Shape, ShapeError, Tensor};

/// The largest element of each window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// Extents, steps and borders.
    pub window: Window,
}

impl MaxPool {
    /// A window of the given extents, moving by its own size, without border.
    pub fn new(kernel: &[usize]) -> Self {
        Self { window: Window::new(kernel) }
    }

    /// The same stride along every axis.
    #[must_use]
    pub fn stride(mut self, stride: usize) -> Self {
        self.window.strides.fill(stride);
        self
    }

    /// The same border along every axis.
    #[must_use]
    pub fn pad(mut self, before: usize, after: usize) -> Self {
        self.window.pads.fill([before, after]);
        self
    }
}

impl Operation for MaxPool {
    const NAME: &'static str = "max_pool";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        let out = self.window.pooled(x)?;
        let spatial: Vec<usize> = x.dims()[2..].iter().filter_map(|dim| dim.fixed()).collect();
        if let Some(axis) = self.window.axis_with_empty_window(&spatial) {
            let expected = format!("windows that see the input along spatial axis {axis}");
            return Err(ShapeError::attribute("pads", expected, format!("{:?}", self.window.pads)));
        }
        Ok(out)
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        let x = inputs[0];
        let spatial = &x.dims()[2..];
        let (pixels, positions) = (spatial.iter().product::<usize>(), dims[2..].iter().product::<usize>());
        let planes = dims[0] * dims[1];
        let walked = self.window.for_each_position(spatial, |position, taps| {
            for plane in 0..planes {
                let pixels = &x.data()[plane * pixels..][..pixels];
                let largest = taps.iter().map(|tap| pixels[tap.input]).fold(f64::NEG_INFINITY, larger);
                out[plane * positions + position] = largest;
            }
        });
        debug_assert!(walked.is_ok(), "the shape rule has checked the window");
    }

    fn attributes(&self) -> Attributes {
        self.window.show(Attributes::default())
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self { window: Window::read(attributes)? })
    }
}
