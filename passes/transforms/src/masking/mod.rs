//! Random factors and a random order for what the key owner gets to see.
//!
//! A network whose hidden values are multiplied by positive factors computes the same, as long as whoever reads a value divides by its factor: a
//! linear map does so in its weights, and `relu(r x) = r relu(x)` hands the factor on. So factors cost nothing at run time; they are drawn when the
//! program is made, and [`Masking::reserve`] keeps the room that they need when parameters are chosen. The order of a layer's elements
//! (of its channels, where tiles of the layer are to stay as they are) is drawn too, and undone by the indices of the next map.
//!
//! Which elements share a factor follows from the circuit alone:
//!
//! | where | elements |
//! |---|---|
//! | a channel (first axis of two or more) | one factor |
//! | `y = identity(x)`, `relu`, `leaky_relu`; a sum, a translation, a sign; a selection | of `x` and of `y`: one factor |
//! | the largest of a group | all of the group and the result: one factor |
//! | a quotient, the place of the largest | operands one factor, the result none |
//! | positions that share a block of weights of several rows | one factor for each row and each column |
//! | inputs, results, products of ciphertexts, all other functions | no factor |
//!
//! A bound ([`ClientFunction::BoundedRelu`]) would have to be scaled with its channel, and the key owner reads the bound: no factor. What
//! all this hides, and what it does not, is in `docs/security.md`.

mod apply;
mod order;
mod scale;
mod sets;

use he_ir::ClientFunction;

pub use apply::{Mask, Random};

use crate::PassReport;
use crate::lowering::{Circuit, ClientGate, Gate};
use crate::ranges::ValueRange;
use order::Orders;
use scale::Factors;

/// Factors are drawn from the reciprocal of this to this, their logarithms uniform.
pub const LARGEST_FACTOR: f64 = 2.0;

/// Why elements keep their scale, or their order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pin {
    Input,
    Output,
    Product,
    Bound,
    Function(ClientFunction),
    Result(ClientFunction),
    Shapes,
}

impl Pin {
    fn reason(self) -> String {
        match self {
            Pin::Input => "the key owner encrypts the input as it is".into(),
            Pin::Output => "the result is for the key owner".into(),
            Pin::Product => "ciphertexts are multiplied".into(),
            Pin::Bound => "its bound would have to be scaled too, which would tell the factor".into(),
            Pin::Function(function) => format!("{0}(r x) is not r {0}(x)", function.name()),
            Pin::Result(function) => format!("the result of {} does not scale", function.name()),
            Pin::Shapes => "its values stand in several shapes".into(),
        }
    }
}

/// How a function of the key owner treats a factor.
enum Scaling {
    /// `f(r x) = r f(x)`.
    HandsOn,
    /// `f(r x) = f(x)`.
    Cancels,
    /// Neither.
    Breaks(Pin),
}

fn scaling(function: ClientFunction) -> Scaling {
    use ClientFunction as F;
    match function {
        F::Identity | F::Relu | F::LeakyRelu { .. } | F::Max => Scaling::HandsOn,
        F::ArgMax | F::Divide => Scaling::Cancels,
        F::BoundedRelu { .. } => Scaling::Breaks(Pin::Bound),
        other => Scaling::Breaks(Pin::Function(other)),
    }
}

/// What of a circuit can be masked: which elements share a factor, and which values an order.
#[derive(Clone, Debug)]
pub struct Masking {
    factors: Factors,
    orders: Orders,
}

impl Masking {
    /// Looks at the whole circuit.
    pub fn of(circuit: &Circuit) -> Masking {
        Masking { factors: Factors::of(circuit), orders: Orders::of(circuit) }
    }

    /// For each layer that the key owner computes, what it will see, or why it sees its numbers as they are.
    pub fn report(&self, circuit: &Circuit) -> PassReport {
        let mut report = PassReport::default();
        for (index, node) in circuit.nodes.iter().enumerate() {
            let Gate::Client(client) = &node.gate else { continue };
            let (factors, scaled, all) = self.factors.seen_by(circuit, index);
            let name = client.function.name();
            let order = match node.operands.iter().find_map(|&x| self.orders.pinned(x)) {
                Some(pin) => format!("in the model's order: {}", pin.reason()),
                None => "in drawn order".to_owned(),
            };
            let own = match scaling(client.function) {
                Scaling::Breaks(pin) => Some(pin),
                _ => None,
            };
            let why = || own.or_else(|| self.factors.first_pin(circuit, index)).map_or_else(String::new, Pin::reason);
            match scaled {
                0 => report.decline(&node.source, format!("{name} sees {all} values as they are: {}; {order}", why())),
                _ if scaled == all => {
                    report.rewrote(&node.source, format!("{name} sees {all} values under {factors} factors, {order}"));
                }
                _ => report.rewrote(
                    &node.source,
                    format!("{name} sees {scaled} of {all} values under {factors} factors, {order}; others: {}", why()),
                ),
            }
        }
        report
    }

    /// Widens the ranges of all values that may be multiplied, so that parameters are chosen with room for it.
    pub fn reserve(&self, ranges: &mut [ValueRange]) {
        for (index, range) in ranges.iter_mut().enumerate() {
            if self.factors.is_scaled(index) {
                range.magnitude *= LARGEST_FACTOR;
                range.factor = LARGEST_FACTOR;
            }
        }
    }
}

/// Calls `unite` with the operand elements of each group, and the result elements; without groups, element i and result i.
fn each_group(client: &ClientGate, elements: usize, mut unite: impl FnMut(&[u32], &[u32])) {
    match &client.groups {
        Some(groups) => groups.iter().for_each(|group| unite(&group.inputs, &group.outputs)),
        None => (0..elements as u32).for_each(|i| unite(&[i], &[i])),
    }
}

#[cfg(test)]
mod tests;
