//! Sliding windows, shared by convolution and pooling: how many positions there are, and which input elements each
//! position sees.
//!
//! Formula: along one axis with input extent `n`, kernel `k`, stride `s`, dilation `d`, pads `[b, a]`, the window
//! spans `d*(k-1)+1`, there are `(n + b + a - span) / s + 1` positions (rounded down), and tap `t` of position `p`
//! sees input element `p*s + t*d - b` when that lies within `[0, n)`.

use super::{AttributeError, Attributes};
use crate::{Dim, Shape, ShapeError};

/// A window with its steps and borders, over any number of spatial axes; one entry per axis everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Extents of the kernel.
    pub kernel: Vec<usize>,
    /// Steps between positions.
    pub strides: Vec<usize>,
    /// Steps between taps.
    pub dilations: Vec<usize>,
    /// Border, `[before, after]`.
    pub pads: Vec<[usize; 2]>,
}

/// One element that a window position sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Position within the kernel, row-major.
    pub kernel: usize,
    /// Position within the spatial axes of the input, row-major.
    pub input: usize,
}

/// Neighbouring positions along the last axis that see the input through one and the same tap: position
/// `position + i` sees input element `input + i * stride` of that axis, for `i` below `len`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// First position, row-major.
    pub position: usize,
    /// What it sees, within the spatial axes of the input, row-major.
    pub input: usize,
    /// Positions.
    pub len: usize,
}

/// How borders are chosen when a model file does not spell them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoPad {
    /// As many positions as strides fit into the input; an odd border is larger behind.
    SameUpper,
    /// As many positions as strides fit into the input; an odd border is larger in front.
    SameLower,
    /// No border.
    Valid,
}

impl Window {
    /// A window of the given extents, moving by its own size, without border.
    pub fn new(kernel: &[usize]) -> Self {
        let axes = kernel.len();
        Self { kernel: kernel.to_vec(), strides: kernel.to_vec(), dilations: vec![1; axes], pads: vec![[0, 0]; axes] }
    }

    /// Number of positions along each axis.
    ///
    /// # Errors
    /// Numbers of axes that differ, a stride, dilation or kernel of 0, a window larger than the padded input.
    pub fn positions(&self, input: &[usize]) -> Result<Vec<usize>, ShapeError> {
        let axes = input.len();
        for (attribute, found) in [
            ("kernel", self.kernel.len()),
            ("strides", self.strides.len()),
            ("dilations", self.dilations.len()),
            ("pads", self.pads.len()),
        ] {
            if found != axes {
                return Err(ShapeError::attribute(attribute, format!("{axes} entries"), format!("{found} entries")));
            }
        }
        for (attribute, values) in
            [("kernel", &self.kernel), ("strides", &self.strides), ("dilations", &self.dilations)]
        {
            if values.iter().any(|&v| v == 0 || v > Shape::MAX_ELEMENTS) {
                return Err(ShapeError::attribute(
                    attribute,
                    format!("extents from 1 to {}", Shape::MAX_ELEMENTS),
                    format!("{values:?}"),
                ));
            }
        }
        if self.pads.iter().flatten().any(|&p| p > Shape::MAX_ELEMENTS) {
            return Err(ShapeError::attribute("pads", "smaller pads", format!("{:?}", self.pads)));
        }
        (0..axes)
            .map(|axis| {
                // No overflow: every term is at most 2^28, the product at most 2^56.
                let span = self.dilations[axis] * (self.kernel[axis] - 1) + 1;
                let padded = input[axis] + self.pads[axis][0] + self.pads[axis][1];
                match padded.checked_sub(span) {
                    Some(room) => Ok(room / self.strides[axis] + 1),
                    None => Err(ShapeError::mismatch("window larger than the padded input", span, padded)),
                }
            })
            .collect()
    }

    /// Shape of a pooling of `[batch, C, D...]` by this window: `[batch, C, P...]`.
    pub(super) fn pooled(&self, x: &Shape) -> Result<Shape, ShapeError> {
        if x.rank() < 3 {
            return Err(ShapeError::Rank { what: "operand", expected: "at least 3".to_owned(), shape: x.clone() });
        }
        let spatial: Vec<usize> = x.dims()[2..].iter().filter_map(|dim| dim.fixed()).collect();
        let positions = self.positions(&spatial)?;
        Shape::new(x.dims()[..2].iter().copied().chain(positions.into_iter().map(Dim::Fixed)).collect())
    }

    /// The first spatial axis along which some position sees nothing but border. The window has been checked.
    pub(super) fn axis_with_empty_window(&self, input: &[usize]) -> Option<usize> {
        let positions = self.positions(input).ok()?;
        (0..input.len()).find(|&axis| {
            (0..positions[axis]).any(|position| {
                let (first, end) = self.seen(axis, position, input[axis]);
                first >= end
            })
        })
    }

    /// Taps `first..end` of a position see the input along one axis: `before <= start + k*dilation < before + extent`.
    fn seen(&self, axis: usize, position: usize, extent: usize) -> (usize, usize) {
        let ([before, _], dilation) = (self.pads[axis], self.dilations[axis]);
        let start = position * self.strides[axis];
        let first = before.saturating_sub(start).div_ceil(dilation);
        let end = (before + extent).saturating_sub(start).div_ceil(dilation).min(self.kernel[axis]);
        (first, end)
    }

    /// Adds its four lists to what the text form shows.
    pub(super) fn show(&self, attributes: Attributes) -> Attributes {
        attributes
            .with("kernel", self.kernel.as_slice())
            .with("strides", self.strides.as_slice())
            .with("dilations", self.dilations.as_slice())
            .with("pads", self.pads.as_slice())
    }

    /// Reads back what [`Window::show`] gave.
    pub(super) fn read(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self {
            kernel: attributes.take_sizes("kernel")?,
            strides: attributes.take_sizes("strides")?,
            dilations: attributes.take_sizes("dilations")?,
            pads: attributes.take_pads("pads")?,
        })
    }

    /// Number of taps of a window that lies wholly inside.
    pub fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// Calls `visit` for every position in row-major order with the taps that see the input (not the border), in
    /// kernel order.
    ///
    /// # Errors
    /// As [`Window::positions`].
    pub fn for_each_position(&self, input: &[usize], mut visit: impl FnMut(usize, &[Tap])) -> Result<(), ShapeError> {
        let positions = self.positions(input)?;
        let strides = super::row_major_strides(input);
        let total: usize = positions.iter().product();
        let mut position = vec![0usize; positions.len()];
        let mut taps = Vec::with_capacity(self.taps().min(1 << 16));
        for index in 0..total {
            taps.clear();
            self.taps_at(&position, input, &strides, &mut taps);
            visit(index, &taps);
            for axis in (0..position.len()).rev() {
                position[axis] += 1;
                if position[axis] < positions[axis] {
                    break;
                }
                position[axis] = 0;
            }
        }
        Ok(())
    }

    /// The same pairs of position and input element as [`Window::for_each_position`], sorted the other way: for each tap in
    /// kernel order, runs of positions in row-major order, as long as they go on (over rows too, where nothing is skipped).
    ///
    /// # Errors
    /// As [`Window::positions`].
    pub fn runs(&self, input: &[usize]) -> Result<Vec<Vec<Run>>, ShapeError> {
        let positions = self.positions(input)?;
        let (inner, outer) = (super::row_major_strides(input), super::row_major_strides(&positions));
        let Some(last) = input.len().checked_sub(1) else {
            return Ok(vec![vec![Run { position: 0, input: 0, len: 1 }]]);
        };
        let mut all = Vec::with_capacity(self.taps());
        let mut tap = vec![0usize; input.len()];
        for _ in 0..self.taps() {
            // Along each axis, positions `first..end` see the input: `before <= p*stride + offset < before + extent`.
            let range = |axis: usize| {
                let (offset, stride, before) =
                    (tap[axis] * self.dilations[axis], self.strides[axis], self.pads[axis][0]);
                let first = before.saturating_sub(offset).div_ceil(stride);
                let end = (before + input[axis]).saturating_sub(offset).div_ceil(stride).min(positions[axis]);
                first..end
            };
            let mut runs: Vec<Run> = Vec::new();
            let mut starts = vec![(0, 0)];
            for axis in 0..=last {
                // All but the last axis are walked; of the last one the first position is taken.
                let walked = if axis < last { range(axis) } else { range(axis).start..range(axis).start + 1 };
                let at = |p: usize| p * self.strides[axis] + tap[axis] * self.dilations[axis];
                let grow = |&(position, seen): &(usize, usize)| {
                    let grown = |p: usize| {
                        (
                            position + p * outer[axis],
                            seen + at(p).wrapping_sub(self.pads[axis][0]).wrapping_mul(inner[axis]),
                        )
                    };
                    walked.clone().map(grown).collect::<Vec<_>>()
                };
                starts = starts.iter().flat_map(grow).collect();
            }
            let len = range(last).len();
            let step = self.strides[last];
            for (position, seen) in starts.into_iter().filter(|_| len > 0) {
                match runs.last_mut() {
                    Some(run) if run.position + run.len == position && run.input + run.len * step == seen => {
                        run.len += len
                    }
                    _ => runs.push(Run { position, input: seen, len }),
                }
            }
            all.push(runs);
            for axis in (0..tap.len()).rev() {
                tap[axis] += 1;
                if tap[axis] < self.kernel[axis] {
                    break;
                }
                tap[axis] = 0;
            }
        }
        Ok(all)
    }

    fn taps_at(&self, position: &[usize], input: &[usize], strides: &[usize], taps: &mut Vec<Tap>) {
        // Grow the set of taps one axis at a time; an axis that falls on the border drops out.
        taps.push(Tap { kernel: 0, input: 0 });
        let mut grown = Vec::new();
        for axis in 0..input.len() {
            let ([before, _], dilation) = (self.pads[axis], self.dilations[axis]);
            let start = position[axis] * self.strides[axis];
            let (first, end) = self.seen(axis, position[axis], input[axis]);
            for tap in taps.iter() {
                for k in first..end {
                    let at = start + k * dilation - before;
                    grown.push(Tap {
                        kernel: tap.kernel * self.kernel[axis] + k,
                        input: tap.input + at * strides[axis],
                    });
                }
            }
            std::mem::swap(taps, &mut grown);
            grown.clear();
        }
    }
}

impl AutoPad {
    /// Borders for an input.
    ///
    /// # Errors
    /// Numbers of axes that differ, or entries of 0.
    pub fn pads(
        self,
        input: &[usize],
        kernel: &[usize],
        strides: &[usize],
        dilations: &[usize],
    ) -> Result<Vec<[usize; 2]>, ShapeError> {
        let window = Window {
            kernel: kernel.to_vec(),
            strides: strides.to_vec(),
            dilations: dilations.to_vec(),
            pads: vec![[0, 0]; input.len()],
        };
        if self == AutoPad::Valid {
            window.positions(input)?;
            return Ok(window.pads);
        }
        // Checks everything but the window's size, which the border is about to mend.
        let roomy: Vec<usize> = input.iter().map(|_| usize::MAX >> 1).collect();
        window.positions(&roomy)?;
        Ok((0..input.len())
            .map(|axis| {
                let span = dilations[axis] * (kernel[axis] - 1) + 1;
                let reach = (input[axis].div_ceil(strides[axis]) - 1) * strides[axis] + span;
                let border = reach.saturating_sub(input[axis]);
                let (small, large) = (border / 2, border - border / 2);
                if self == AutoPad::SameUpper { [small, large] } else { [large, small] }
            })
            .collect())
    }
}
