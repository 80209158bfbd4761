//! Writing a network down like algebra.
//!
//! A [`GraphBuilder`] hands out [`Expr`]s; operators and methods on them append nodes. The first mistake is kept and
//! returned by [`GraphBuilder::finish`], so that formulas need no `?`.

use std::cell::RefCell;
use std::ops;

use super::{Graph, Shape, Tensor, ValueId};
use crate::ops::{
    Add, AveragePool, BatchNorm, Conv, Flatten, Gemm, MatMul, Mul, Negate, Op, Pad, Reshape, Sub, Transpose,
};
use crate::{EditError, GraphError};

/// Builds one graph.
#[derive(Debug)]
pub struct GraphBuilder {
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    graph: Graph,
    error: Option<EditError>,
    /// Numbers for nodes without a name.
    unnamed: usize,
}

/// A value of a graph under construction.
#[derive(Clone, Copy, Debug)]
pub struct Expr<'b> {
    builder: &'b GraphBuilder,
    /// None after a mistake.
    id: Option<ValueId>,
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new(name: &str) -> Self {
        let graph = Graph::empty(name);
        Self { state: RefCell::new(State { graph, error: None, unnamed: 0 }) }
    }

    /// An input of shape `[batch, image...]`.
    pub fn input(&self, name: &str, image: &[usize]) -> Expr<'_> {
        self.record(|state| {
            let shape =
                Shape::batched(image).map_err(|source| EditError::ValueShape { value: name.to_owned(), source })?;
            state.graph.edit().add_input(name, shape)
        })
    }

    /// An input that is the same for all images.
    pub fn fixed_input(&self, name: &str, dims: &[usize]) -> Expr<'_> {
        self.record(|state| {
            let shape =
                Shape::fixed(dims).map_err(|source| EditError::ValueShape { value: name.to_owned(), source })?;
            state.graph.edit().add_input(name, shape)
        })
    }

    /// A constant.
    pub fn constant(&self, name: &str, tensor: Tensor) -> Expr<'_> {
        self.record(|state| state.graph.edit().add_constant(name, tensor))
    }

    /// Any operation, with a name.
    pub fn apply(&self, name: &str, op: impl Into<Op>, inputs: &[Expr<'_>]) -> Expr<'_> {
        let ids: Option<Vec<ValueId>> = inputs.iter().map(|input| input.id).collect();
        let Some(ids) = ids else {
            return Expr { builder: self, id: None };
        };
        self.record(|state| {
            let op = op.into();
            let name = if name.is_empty() { state.number(op.name()) } else { name.to_owned() };
            state.graph.edit().push(&name, op, &ids)
        })
    }

    /// The finished, verified graph.
    ///
    /// # Errors
    /// The first mistake made on the way, or what the verifier finds.
    pub fn finish(&self, outputs: &[Expr<'_>]) -> Result<Graph, GraphError> {
        let mut state = self.state.borrow_mut();
        if let Some(error) = &state.error {
            return Err(error.clone().into());
        }
        let ids: Vec<ValueId> = outputs.iter().filter_map(|output| output.id).collect();
        state.graph.edit().set_outputs(&ids)?;
        state.graph.verify()?;
        Ok(state.graph.clone())
    }

    fn record(&self, step: impl FnOnce(&mut State) -> Result<ValueId, EditError>) -> Expr<'_> {
        let mut state = self.state.borrow_mut();
        if state.error.is_some() {
            return Expr { builder: self, id: None };
        }
        let id = step(&mut state).map_err(|error| state.error = Some(error)).ok();
        Expr { builder: self, id }
    }
}

impl State {
    fn number(&mut self, op: &str) -> String {
        self.unnamed += 1;
        format!("{op}{}", self.unnamed)
    }
}

impl<'b> Expr<'b> {
    /// The value's id; none after a mistake.
    pub fn id(self) -> Option<ValueId> {
        self.id
    }

    fn unary(self, op: impl Into<Op>) -> Expr<'b> {
        self.builder.apply("", op, &[self])
    }

    fn with(self, op: impl Into<Op>, other: Expr<'b>) -> Expr<'b> {
        self.builder.apply("", op, &[self, other])
    }

    /// Convolution without bias.
    #[must_use]
    pub fn conv(self, op: Conv, weights: Expr<'b>) -> Expr<'b> {
        self.with(op, weights)
    }

    /// Convolution with bias.
    #[must_use]
    pub fn conv_bias(self, op: Conv, weights: Expr<'b>, bias: Expr<'b>) -> Expr<'b> {
        self.builder.apply("", op, &[self, weights, bias])
    }

    /// Mean over windows.
    #[must_use]
    pub fn average_pool(self, op: AveragePool) -> Expr<'b> {
        self.unary(op)
    }

    /// Normalisation by constants; `parameters` are scale, shift, mean, variance.
    #[must_use]
    pub fn batch_norm(self, epsilon: f64, parameters: [Expr<'b>; 4]) -> Expr<'b> {
        let [scale, shift, mean, variance] = parameters;
        self.builder.apply("", BatchNorm { epsilon }, &[self, scale, shift, mean, variance])
    }

    /// Matrix product.
    #[must_use]
    pub fn matmul(self, right: Expr<'b>) -> Expr<'b> {
        self.with(MatMul, right)
    }

    /// Scaled matrix product plus scaled bias.
    #[must_use]
    pub fn gemm(self, op: Gemm, weights: Expr<'b>, bias: Expr<'b>) -> Expr<'b> {
        self.builder.apply("", op, &[self, weights, bias])
    }

    /// The value times itself.
    #[must_use]
    pub fn square(self) -> Expr<'b> {
        self.with(Mul, self)
    }

    /// One row per image.
    #[must_use]
    pub fn flatten(self) -> Expr<'b> {
        self.unary(Flatten)
    }

    /// The same elements as `[batch, image...]`.
    #[must_use]
    pub fn reshape(self, image: &[usize]) -> Expr<'b> {
        match Shape::batched(image) {
            Ok(target) => self.unary(Reshape { target }),
            Err(source) => self.builder.record(|_| Err(EditError::ValueShape { value: "reshape".to_owned(), source })),
        }
    }

    /// Axes in another order, the batch included.
    #[must_use]
    pub fn transpose(self, order: &[usize]) -> Expr<'b> {
        self.unary(Transpose { order: order.to_vec() })
    }

    /// A border of one value; `pads` are `[before, after]` per axis behind the batch.
    #[must_use]
    pub fn pad(self, pads: &[[usize; 2]], value: f64) -> Expr<'b> {
        let pads = std::iter::once([0, 0]).chain(pads.iter().copied()).collect();
        self.unary(Pad { pads, value })
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:ident) => {
        impl<'b> ops::$trait for Expr<'b> {
            type Output = Expr<'b>;

            fn $method(self, right: Expr<'b>) -> Expr<'b> {
                self.with($op, right)
            }
        }

        impl<'b> ops::$trait<f64> for Expr<'b> {
            type Output = Expr<'b>;

            fn $method(self, right: f64) -> Expr<'b> {
                let right = self.builder.constant("scalar", Tensor::scalar(right));
                self.with($op, right)
            }
        }
    };
}

operator!(Add, add, Add);
operator!(Sub, sub, Sub);
operator!(Mul, mul, Mul);

impl<'b> ops::Neg for Expr<'b> {
    type Output = Expr<'b>;

    fn neg(self) -> Expr<'b> {
        self.unary(Negate)
    }
}
