//! What a non-linear operation can give, known what it can be given.
//!
//! Linear operations are not here: their ranges follow from weights, element by element, where those are at hand.

use super::Op;

/// Lowest and highest value, both included.
pub type Bounds = (f64, f64);

impl Op {
    /// Whether the operation is neither linear nor a sum or product of its operands: no exact form under encryption
    /// exists when an operand is encrypted. `Div` and `Pow` count as such; by a constant divisor `Div` is a scaling, to
    /// a constant small whole power `Pow` is a few products: a compiler may tell those apart.
    pub fn is_nonlinear(&self) -> bool {
        match self {
            Op::Relu(_)
            | Op::BoundedRelu(_)
            | Op::LeakyRelu(_)
            | Op::Clip(_)
            | Op::Sigmoid(_)
            | Op::Tanh(_)
            | Op::Exp(_)
            | Op::Softmax(_)
            | Op::MaxPool(_)
            | Op::Max(_)
            | Op::Min(_)
            | Op::ReduceMax(_)
            | Op::ArgMax(_)
            | Op::Div(_)
            | Op::Pow(_) => true,
            Op::Add(_)
            | Op::Affine(_)
            | Op::AveragePool(_)
            | Op::BatchNorm(_)
            | Op::Concat(_)
            | Op::Conv(_)
            | Op::Flatten(_)
            | Op::Gemm(_)
            | Op::MatMul(_)
            | Op::Mul(_)
            | Op::Negate(_)
            | Op::Pad(_)
            | Op::ReduceMean(_)
            | Op::ReduceSum(_)
            | Op::Reshape(_)
            | Op::Sub(_)
            | Op::Transpose(_) => false,
        }
    }

    /// Bounds of every element of a non-linear operation's result, given bounds that hold for every element of each
    /// operand (in `operands`, one pair each). Ends may be infinite. None for an operation that is not non-linear, for
    /// a wrong number of operands, and for `ArgMax`, whose bounds are its axis'.
    pub fn bounds(&self, operands: &[Bounds]) -> Option<Bounds> {
        let increasing = |f: &dyn Fn(f64) -> f64| match *operands {
            [(low, high)] => Some((f(low), f(high))),
            _ => None,
        };
        let two = || match *operands {
            [left, right] => Some((left, right)),
            _ => None,
        };
        match self {
            Op::Relu(op) => increasing(&|x| op.apply(x)),
            Op::BoundedRelu(op) => increasing(&|x| op.apply(x)),
            Op::Clip(op) => increasing(&|x| op.apply(x)),
            Op::Sigmoid(op) => increasing(&|x| op.apply(x)),
            Op::Tanh(op) => increasing(&|x| op.apply(x)),
            Op::Exp(op) => increasing(&|x| op.apply(x)),
            Op::MaxPool(_) | Op::ReduceMax(_) => increasing(&|x| x),
            Op::LeakyRelu(op) => {
                // With a negative slope the lowest value is at 0 when the operand reaches it.
                let (low, high) = increasing(&|x| op.apply(x))?;
                let zero = operands.first().filter(|(from, to)| *from <= 0.0 && *to >= 0.0).map(|_| 0.0);
                let ends = [Some(low), Some(high), zero].into_iter().flatten();
                Some((ends.clone().fold(f64::INFINITY, f64::min), ends.fold(f64::NEG_INFINITY, f64::max)))
            }
            Op::Softmax(_) => operands.first().map(|_| (0.0, 1.0)),
            Op::Max(_) => two().map(|((a, b), (c, d))| (a.max(c), b.max(d))),
            Op::Min(_) => two().map(|((a, b), (c, d))| (a.min(c), b.min(d))),
            Op::Div(_) => two().map(|(left, right)| quotient(left, right)),
            Op::Pow(_) => two().map(|(left, right)| power(left, right)),
            _ => None,
        }
    }
}

const EVERYTHING: Bounds = (f64::NEG_INFINITY, f64::INFINITY);

/// Everything once the divisor may be 0.
fn quotient(left: Bounds, (low, high): Bounds) -> Bounds {
    if low <= 0.0 && high >= 0.0 { EVERYTHING } else { corners(left, (low, high), |x, y| x / y) }
}

/// `x^y` for a base that stays positive, or one whole exponent; everything else is unbounded.
fn power(base: Bounds, exponent: Bounds) -> Bounds {
    if base.0 > 0.0 || (base.0 == 0.0 && exponent.0 > 0.0) {
        // Monotonous in each argument for a fixed other one, so extremes lie at corners.
        return corners(base, exponent, f64::powf);
    }
    let whole = exponent.0 == exponent.1 && exponent.0 > 0.0 && exponent.0.fract() == 0.0;
    if !whole {
        return EVERYTHING;
    }
    let (low, high) = corners(base, exponent, f64::powf);
    let crosses = base.0 <= 0.0 && base.1 >= 0.0;
    (if crosses { low.min(0.0) } else { low }, high)
}

fn corners(left: Bounds, right: Bounds, f: impl Fn(f64, f64) -> f64) -> Bounds {
    let values = [f(left.0, right.0), f(left.0, right.1), f(left.1, right.0), f(left.1, right.1)];
    if values.iter().any(|value| value.is_nan()) {
        return EVERYTHING;
    }
    (values.into_iter().fold(f64::INFINITY, f64::min), values.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

#[cfg(test)]
mod tests;
