//! Conv: convolution (in the sense of neural networks: a correlation) over any number of spatial axes.
//!
//! Operands: `x [batch, C, D...]`, weights `[M, C/groups, K...]`, optionally a bias `[M]`. Output `[batch, M, P...]`:
//! `y[m, p] = bias[m] + sum over c, tap of w[m, c, tap] * x[group(m), c, p*stride + tap*dilation - before]`.

use rayon::prelude::*;

use super::window::Window;
use super::{AttributeError, Attributes, Operation, parameter};
use crate::{Dim, Shape, ShapeError, Tensor};

/// Convolution over any number of spatial axes; one entry per spatial axis everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Steps between positions.
    pub strides: Vec<usize>,
    /// Steps between taps.
    pub dilations: Vec<usize>,
    /// Zero border, `[before, after]`.
    pub pads: Vec<[usize; 2]>,
    /// Channels fall into this many groups that do not see each other.
    pub groups: usize,
}

impl Conv {
    /// Strides and dilations of 1, no border, one group.
    pub fn new(spatial_axes: usize) -> Self {
        Self {
            strides: vec![1; spatial_axes],
            dilations: vec![1; spatial_axes],
            pads: vec![[0, 0]; spatial_axes],
            groups: 1,
        }
    }

    /// The same stride along every axis.
    #[must_use]
    pub fn stride(mut self, stride: usize) -> Self {
        self.strides.fill(stride);
        self
    }

    /// The same border along every axis.
    #[must_use]
    pub fn pad(mut self, before: usize, after: usize) -> Self {
        self.pads.fill([before, after]);
        self
    }

    /// Channels in groups.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// The window, for weights of extents `weights` (`[M, C/groups, K...]`).
    pub fn window(&self, weights: &[usize]) -> Window {
        Window {
            kernel: weights.get(2..).unwrap_or_default().to_vec(),
            strides: self.strides.clone(),
            dilations: self.dilations.clone(),
            pads: self.pads.clone(),
        }
    }
}

impl Operation for Conv {
    const NAME: &'static str = "conv";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let (x, w, bias) = match *inputs {
            [x, w] => (x, w, None),
            [x, w, bias] => (x, w, Some(bias)),
            _ => {
                return Err(ShapeError::OperandCount { expected: "2 or 3", found: inputs.len() });
            }
        };
        let weights = parameter("weights", w)?;
        if x.rank() < 3 {
            return Err(ShapeError::Rank { what: "operand", expected: "at least 3".to_owned(), shape: x.clone() });
        }
        if weights.len() != x.rank() {
            return Err(ShapeError::mismatch("rank of operand and weights", x, w));
        }
        let behind: Vec<usize> = x.dims()[1..].iter().filter_map(|dim| dim.fixed()).collect();
        let (channels, spatial) = (behind[0], &behind[1..]);
        let (maps, seen) = (weights[0], weights[1]);
        if self.groups == 0 || maps % self.groups != 0 {
            let expected = format!("a divisor of {maps} output channels");
            return Err(ShapeError::attribute("groups", expected, self.groups.to_string()));
        }
        if seen.checked_mul(self.groups) != Some(channels) {
            let right = format!("{seen} x {} groups", self.groups);
            return Err(ShapeError::mismatch("channels of operand and weights", channels, right));
        }
        if let Some(bias) = bias
            && parameter("bias", bias)? != [maps]
        {
            return Err(ShapeError::mismatch("output channels and bias", maps, bias));
        }
        let positions = self.window(&weights).positions(spatial)?;
        let dims = [x.dims()[0], Dim::Fixed(maps)].into_iter().chain(positions.into_iter().map(Dim::Fixed));
        Shape::new(dims.collect())
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        let (x, w) = (inputs[0], inputs[1]);
        let bias = inputs.get(2).map(|bias| bias.data());
        let (channels, spatial) = (x.dims()[1], &x.dims()[2..]);
        let (maps, seen) = (w.dims()[0], w.dims()[1]);
        let (pixels, positions) = (spatial.iter().product::<usize>(), dims[2..].iter().product::<usize>());
        let window = self.window(w.dims());
        let runs = window.runs(spatial);
        debug_assert!(runs.is_ok(), "the shape rule has checked the window");
        let runs = runs.unwrap_or_default();
        let stride = self.strides.last().copied().unwrap_or(1);

        // One map of one image at a time, tap by tap: each sum takes its terms in the order of the definition.
        out.par_chunks_mut(positions).enumerate().for_each(|(plane, out)| {
            let (image, map) = (plane / maps, plane % maps);
            let first_channel = map / (maps / self.groups) * seen;
            out.fill(bias.map_or(0.0, |bias| bias[map]));
            for channel in 0..seen {
                let pixels = &x.data()[(image * channels + first_channel + channel) * pixels..][..pixels];
                let weights = &w.data()[(map * seen + channel) * runs.len()..];
                for (runs, &weight) in runs.iter().zip(weights) {
                    for run in runs {
                        let out = &mut out[run.position..][..run.len];
                        accumulate(out, weight, &pixels[run.input..], stride);
                    }
                }
            }
        });
    }

    fn attributes(&self) -> Attributes {
        Attributes::default()
            .with("strides", self.strides.as_slice())
            .with("dilations", self.dilations.as_slice())
            .with("pads", self.pads.as_slice())
            .with("groups", self.groups)
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self {
            strides: attributes.take_sizes("strides")?,
            dilations: attributes.take_sizes("dilations")?,
            pads: attributes.take_pads("pads")?,
            groups: attributes.take_size("groups")?,
        })
    }
}

/// `out[i] += weight * x[i * stride]`.
fn accumulate(out: &mut [f64], weight: f64, x: &[f64], stride: usize) {
    if stride == 1 {
        for (o, &x) in out.iter_mut().zip(x) {
            *o += weight * x;
        }
    } else {
        for (o, &x) in out.iter_mut().zip(x.iter().step_by(stride)) {
            *o += weight * x;
        }
    }
}
