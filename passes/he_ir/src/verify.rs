//! The rules: what type an operation gives to its result, and whether a whole program keeps them.

use he_params::{Level, Packing, Scale};

use crate::Op;
use crate::error::{HeIrError, TypeError};
use crate::program::{HeProgram, Node};
use crate::value::{CipherType, ValueId};

/// Type of the result of `op` on operands of these types; `q` are the program's primes. An input has the type that its
/// builder gave, so it is not asked for here.
pub(crate) fn result_type(op: &Op, operands: &[&CipherType], q: &[u64]) -> Result<CipherType, TypeError> {
    let many = matches!(op, Op::Refresh { .. }) && operands.len() > op.arity();
    if operands.len() != op.arity() && !many {
        return Err(TypeError::Arity { expected: op.arity(), found: operands.len() });
    }
    match (op, operands) {
        (Op::Linear { map }, [x]) => {
            if map.inputs() != x.elements() {
                return Err(TypeError::Elements { what: "the map", found: map.inputs(), expected: x.elements() });
            }
            let scale = product(x.scale, map.weight_scale())?;
            Ok(CipherType { shape: vec![map.outputs()], scale, ..(*x).clone() })
        }
        (Op::Negate, [x]) => Ok((*x).clone()),
        (Op::AddConstant { values }, [x]) => {
            if values.len() != x.elements() {
                return Err(TypeError::Elements { what: "the constant", found: values.len(), expected: x.elements() });
            }
            Ok((*x).clone())
        }
        (Op::Add | Op::Sub, [x, y]) => {
            same_shape_and_level(x, y)?;
            if !x.scale.is_close(y.scale) {
                return Err(TypeError::Scale { left: x.scale, right: y.scale });
            }
            Ok(CipherType { component_count: x.component_count.max(y.component_count), ..(*x).clone() })
        }
        (Op::Mul, [x, y]) => {
            same_shape_and_level(x, y)?;
            two_components(x)?;
            two_components(y)?;
            let scale = product(x.scale, y.scale)?;
            Ok(CipherType { scale, component_count: 3, ..(*x).clone() })
        }
        (Op::Square, [x]) => {
            two_components(x)?;
            let scale = product(x.scale, x.scale)?;
            Ok(CipherType { scale, component_count: 3, ..(*x).clone() })
        }
        (Op::Relinearize, [x]) => relinearized(x),
        (Op::Rescale, [x]) => rescaled(x, q),
        (Op::RelinearizeRescale, [x]) => rescaled(&relinearized(x)?, q),
        (Op::DropLevel { to }, [x]) => {
            if *to >= x.level {
                return Err(TypeError::Descent { from: x.level, to: to.to_string() });
            }
            Ok(CipherType { level: *to, ..(*x).clone() })
        }
        (Op::Gather { indices, shape }, [x]) => {
            let elements: usize = shape.iter().product();
            if elements != indices.len() {
                return Err(TypeError::Elements { what: "the shape", found: elements, expected: indices.len() });
            }
            match indices.iter().find(|&&i| i as usize >= x.elements()) {
                Some(&index) => Err(TypeError::Index { index, elements: x.elements() }),
                None => Ok(CipherType { shape: shape.clone(), ..(*x).clone() }),
            }
        }
        (Op::Refresh { refresh }, [first, rest @ ..]) => {
            two_components(first)?;
            for x in rest {
                two_components(x)?;
                if x.level != first.level {
                    return Err(TypeError::Level { left: first.level, right: x.level });
                }
                if !x.scale.is_close(first.scale) {
                    return Err(TypeError::Scale { left: first.scale, right: x.scale });
                }
            }
            refresh.check(operands.iter().map(|x| x.elements()).sum())?;
            if refresh.level.prime_count() > q.len() {
                return Err(TypeError::FreshLevel { level: refresh.level, primes: q.len() });
            }
            let (shape, level, scale) = (refresh.shape.clone(), refresh.level, refresh.scale);
            Ok(CipherType { shape, level, scale, component_count: 2 })
        }
        _ => Err(TypeError::Arity { expected: op.arity(), found: operands.len() }),
    }
}

fn relinearized(x: &CipherType) -> Result<CipherType, TypeError> {
    if x.component_count != 3 {
        return Err(TypeError::Components { expected: "3", found: x.component_count });
    }
    Ok(CipherType { component_count: 2, ..x.clone() })
}

fn rescaled(x: &CipherType, q: &[u64]) -> Result<CipherType, TypeError> {
    let below = x.level.below();
    let (Some(level), Some(&prime)) = (below, q.get(x.level.last_prime())) else {
        return Err(TypeError::Descent { from: x.level, to: "below".into() });
    };
    let scale = x.scale.over(prime).map_err(|_| TypeError::NotAScale { value: x.scale.get() / prime as f64 })?;
    Ok(CipherType { level, scale, ..x.clone() })
}

fn same_shape_and_level(x: &CipherType, y: &CipherType) -> Result<(), TypeError> {
    if x.shape != y.shape {
        return Err(TypeError::Shape { left: x.shape.clone(), right: y.shape.clone() });
    }
    if x.level != y.level {
        return Err(TypeError::Level { left: x.level, right: y.level });
    }
    Ok(())
}

fn two_components(x: &CipherType) -> Result<(), TypeError> {
    if x.component_count != 2 {
        return Err(TypeError::Components { expected: "2", found: x.component_count });
    }
    Ok(())
}

fn product(x: Scale, y: Scale) -> Result<Scale, TypeError> {
    x.times(y).map_err(|_| TypeError::NotAScale { value: x.get() * y.get() })
}

pub(crate) fn check_level(value: ValueId, level: Level, primes: usize) -> Result<(), HeIrError> {
    if level.prime_count() > primes {
        return Err(HeIrError::LevelTooHigh { value, level, primes });
    }
    Ok(())
}

/// Types of the operands of the node at `index`, which must all stand before it.
pub(crate) fn operand_types<'a>(
    nodes: &'a [Node],
    operands: &[ValueId],
    index: usize,
) -> Result<Vec<&'a CipherType>, HeIrError> {
    let earlier = nodes.get(..index).unwrap_or(nodes);
    let of = |&value: &ValueId| {
        earlier.get(value.index()).map(|n| &n.value).ok_or(HeIrError::NotDefined { value, node: index })
    };
    operands.iter().map(of).collect()
}

pub(crate) fn verify(program: &HeProgram) -> Result<(), Vec<HeIrError>> {
    let mut errors = Vec::new();
    for (id, node) in program.values() {
        errors.extend(check_level(id, node.value.level, program.q.len()).err());
        if matches!(node.op, Op::Input { .. }) {
            continue;
        }
        if program.packing == Packing::Complex && matches!(node.op, Op::Mul | Op::Square) {
            let error = TypeError::ComplexProduct;
            errors.push(HeIrError::Op { verb: node.op.verb(), node: node.source.clone(), error });
        }
        let computed = operand_types(&program.nodes, &node.operands, id.index()).and_then(|types| {
            result_type(&node.op, &types, &program.q).map_err(|error| HeIrError::Op {
                verb: node.op.verb(),
                node: node.source.clone(),
                error,
            })
        });
        match computed {
            Err(error) => errors.push(error),
            // A linear map does not know the shape its result had in the model; the number of elements must agree.
            Ok(t) if t.elements() == node.value.elements() && same_state(&t, &node.value) => {}
            Ok(t) => errors.push(HeIrError::WrongType {
                value: id,
                recorded: node.value.to_string(),
                computed: t.to_string(),
            }),
        }
    }
    if program.outputs.is_empty() {
        errors.push(HeIrError::NoOutput);
    }
    for (_, value) in &program.outputs {
        if program.node(*value).is_none() {
            errors.push(HeIrError::NotDefined { value: *value, node: program.nodes.len() });
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn same_state(a: &CipherType, b: &CipherType) -> bool {
    a.level == b.level && a.scale == b.scale && a.component_count == b.component_count
}
