//! AveragePool: the mean over each window, channel by channel.
//!
//! `x [batch, C, D...] -> [batch, C, P...]`. The border counts as zeros (`count_border`) or does not count at all; a
//! window that sees nothing but border averages to 0.

use super::window::Window;
use super::{AttributeError, Attributes, Operation, operands};
use crate::{Shape, ShapeError, Tensor};

/// The mean over each window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AveragePool {
    /// Extents, steps and borders.
    pub window: Window,
    /// Whether border elements count in the divisor.
    pub count_border: bool,
}

impl AveragePool {
    /// A window of the given extents, moving by its own size, without border.
    pub fn new(kernel: &[usize]) -> Self {
        Self { window: Window::new(kernel), count_border: false }
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

    /// Whether border elements count in the divisor.
    #[must_use]
    pub fn count_border(mut self, count: bool) -> Self {
        self.count_border = count;
        self
    }

    /// What the sum over `seen` taps is divided by.
    pub fn divisor(&self, seen: usize) -> f64 {
        if self.count_border { self.window.taps() as f64 } else { seen.max(1) as f64 }
    }
}

impl Operation for AveragePool {
    const NAME: &'static str = "average_pool";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        self.window.pooled(x)
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        let x = inputs[0];
        let spatial = &x.dims()[2..];
        let (pixels, positions) = (spatial.iter().product::<usize>(), dims[2..].iter().product::<usize>());
        let planes = dims[0] * dims[1];
        let walked = self.window.for_each_position(spatial, |position, taps| {
            let divisor = self.divisor(taps.len());
            for plane in 0..planes {
                let pixels = &x.data()[plane * pixels..][..pixels];
                let sum: f64 = taps.iter().map(|tap| pixels[tap.input]).sum();
                out[plane * positions + position] = sum / divisor;
            }
        });
        debug_assert!(walked.is_ok(), "the shape rule has checked the window");
    }

    fn attributes(&self) -> Attributes {
        self.window.show(Attributes::default()).with("count_border", self.count_border)
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self { window: Window::read(attributes)?, count_border: attributes.take_bool("count_border")? })
    }
}
