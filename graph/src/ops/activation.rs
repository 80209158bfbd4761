//! Functions of one number, applied to every element: what stands between the linear layers of a network.
//!
//! | operation | formula | source |
//! |---|---|---|
//! | `relu` | `max(x, 0)` | ONNX Relu |
//! | `bounded_relu` | `min(max(x, 0), max)` | ONNX Clip from 0, "ReLU6" where `max` is 6 |
//! | `leaky_relu` | `x` where `x >= 0`, `alpha x` elsewhere | ONNX LeakyRelu |
//! | `clip` | `min(max(x, min), max)`, either bound may be absent | ONNX Clip |
//! | `sigmoid` | `1 / (1 + exp(-x))` | ONNX Sigmoid |
//! | `tanh`, `exp` | as named | ONNX Tanh, Exp |
//!
//! None of them has an exact form under encryption: a key owner computes them, or a polynomial stands in for them.

use super::{AttributeError, Attributes, Operation, operands};
use crate::{Shape, ShapeError, Tensor};

/// `max(x, 0)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relu;

/// `min(max(x, 0), max)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundedRelu {
    /// Highest value, finite and above 0.
    pub max: f64,
}

/// `x` where `x >= 0`, `alpha x` elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// Slope of the negative side, finite.
    pub alpha: f64,
}

/// `min(max(x, min), max)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    /// Lowest value, finite; none for no bound.
    pub min: Option<f64>,
    /// Highest value, finite; none for no bound. It wins where the bounds cross.
    pub max: Option<f64>,
}

/// `1 / (1 + exp(-x))`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sigmoid;

/// Hyperbolic tangent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tanh;

/// `e^x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exp;

impl Relu {
    /// The function.
    pub fn apply(self, x: f64) -> f64 {
        if x < 0.0 { 0.0 } else { x }
    }
}

impl BoundedRelu {
    /// The function.
    pub fn apply(self, x: f64) -> f64 {
        let x = Relu.apply(x);
        if x > self.max { self.max } else { x }
    }
}

impl LeakyRelu {
    /// The function.
    pub fn apply(self, x: f64) -> f64 {
        if x < 0.0 { self.alpha * x } else { x }
    }
}

impl Clip {
    /// The function.
    pub fn apply(self, x: f64) -> f64 {
        let x = match self.min {
            Some(min) if x < min => min,
            _ => x,
        };
        match self.max {
            Some(max) if x > max => max,
            _ => x,
        }
    }
}

impl Sigmoid {
    /// The function.
    pub fn apply(self, x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }
}

impl Tanh {
    /// The function.
    pub fn apply(self, x: f64) -> f64 {
        x.tanh()
    }
}

impl Exp {
    /// The function.
    pub fn apply(self, x: f64) -> f64 {
        x.exp()
    }
}

/// Refuses a parameter that is infinite, not a number, or not above `above`.
fn check(attribute: &'static str, value: f64, above: f64) -> Result<(), ShapeError> {
    if value.is_finite() && value > above {
        return Ok(());
    }
    let expected = if above == f64::NEG_INFINITY { "a finite number".to_owned() } else { format!("more than {above}") };
    Err(ShapeError::attribute(attribute, expected, value.to_string()))
}

macro_rules! activation {
    ($name:ident, $verb:literal, check $check:expr, show $show:expr, read $read:expr) => {
        impl Operation for $name {
            const NAME: &'static str = $verb;

            fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
                let [x] = operands(inputs, "1")?;
                let check: fn(&Self) -> Result<(), ShapeError> = $check;
                check(self)?;
                Ok(x.clone())
            }

            fn evaluate(&self, inputs: &[&Tensor], _: &[usize], out: &mut [f64]) {
                for (o, &x) in out.iter_mut().zip(inputs[0].data()) {
                    *o = self.apply(x);
                }
            }

            fn attributes(&self) -> Attributes {
                let show: fn(&Self) -> Attributes = $show;
                show(self)
            }

            fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
                let read: fn(&mut Attributes) -> Result<Self, AttributeError> = $read;
                read(attributes)
            }
        }
    };
    ($name:ident, $verb:literal) => {
        activation!($name, $verb, check | _ | Ok(()), show | _ | Attributes::default(), read | _ | Ok(Self));
    };
}

activation!(Relu, "relu");
activation!(
    BoundedRelu,
    "bounded_relu",
    check | op | check("max", op.max, 0.0),
    show | op | Attributes::default().with("max", op.max),
    read | attributes | Ok(Self { max: attributes.take_float("max")? })
);
activation!(
    LeakyRelu,
    "leaky_relu",
    check | op | check("alpha", op.alpha, f64::NEG_INFINITY),
    show | op | Attributes::default().with("alpha", op.alpha),
    read | attributes | Ok(Self { alpha: attributes.take_float("alpha")? })
);
activation!(
    Clip,
    "clip",
    check | op | {
        op.min.map_or(Ok(()), |min| check("min", min, f64::NEG_INFINITY))?;
        op.max.map_or(Ok(()), |max| check("max", max, f64::NEG_INFINITY))
    },
    show | op | {
        let bounds = [("min", op.min), ("max", op.max)];
        bounds.into_iter().fold(Attributes::default(), |shown, (key, bound)| match bound {
            Some(bound) => shown.with(key, bound),
            None => shown,
        })
    },
    read | attributes
        | Ok(Self { min: attributes.take_float_if_any("min")?, max: attributes.take_float_if_any("max")? })
);
activation!(Sigmoid, "sigmoid");
activation!(Tanh, "tanh");
activation!(Exp, "exp");
