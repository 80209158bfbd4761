//! Draws a mask, and puts it on a circuit.

use std::collections::HashMap;
use std::sync::Arc;

use graph::ShapeError;
use graph::affine::{AffineBlock, AffineGroup, AffineMap};
use he_ir::RefreshGroup;

use super::{LARGEST_FACTOR, Masking};
use crate::lowering::{Circuit, ClientGate, Gate};

/// A random number of 64 bits; who has it has the mask.
pub type Random<'a, E> = &'a mut dyn FnMut() -> Result<u64, E>;

/// A factor and a place for each element of each value. Not printed: it is what the key owner must not have.
pub struct Mask {
    factors: Vec<f64>,
    /// New place of each element; `None` where nothing moves.
    places: Vec<Option<Arc<[u32]>>>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} factors)", self.factors.len().saturating_sub(1))
    }
}

impl Masking {
    /// Draws factors, and orders: of all elements where a value has at most `whole` (what one tile holds), of channels elsewhere.
    ///
    /// # Errors
    /// Whatever `random` says.
    pub fn draw<E>(&self, whole: usize, random: Random<'_, E>) -> Result<Mask, E> {
        let mut factors = vec![1.0];
        while factors.len() < self.factors.count() {
            // The upper 53 bits: uniform in [-1, 1).
            let exponent = (random()? >> 11) as f64 / 52f64.exp2() - 1.0;
            factors.push(LARGEST_FACTOR.powf(exponent));
        }
        let mut places = vec![None; self.factors.values()];
        for set in self.orders.sets.iter().filter(|set| set.pin.is_none() && set.is_seen) {
            let units = match set.elements {
                Some(elements) if elements <= whole => elements,
                _ => set.channels,
            };
            let order = order(units, random)?;
            for &value in &set.values {
                let elements = self.factors.of_value(value).len();
                let size = elements / units.max(1);
                let place = |element: usize| order[element / size] * size as u32 + (element % size) as u32;
                if let Some(slot) = places.get_mut(value) {
                    *slot = Some((0..elements).map(place).collect());
                }
            }
        }
        Ok(Mask { factors, places })
    }

    /// The circuit that computes the same from masked values: weights, constants and indices differ, and nothing else. The mask must have
    /// been drawn for this circuit.
    ///
    /// # Errors
    /// A map that came out of shape, which is a defect.
    pub fn apply(&self, mask: &Mask, circuit: &Circuit) -> Result<Circuit, ShapeError> {
        let mut masked = circuit.clone();
        for (index, node) in masked.nodes.iter_mut().enumerate() {
            let result = self.value(mask, index);
            let operands: Vec<Value<'_>> = node.operands.iter().map(|&x| self.value(mask, x)).collect();
            let gate = match (&node.gate, operands.as_slice()) {
                (Gate::Linear(map), [x]) => Gate::Linear(linear(map, *x, result)?),
                (Gate::AddConstant(constants), _) => {
                    let scaled: Vec<f64> = constants.iter().enumerate().map(|(i, c)| c * result.factor(i)).collect();
                    Gate::AddConstant(Arc::new(result.moved(scaled)))
                }
                (Gate::Gather(indices), [x]) => {
                    Gate::Gather(Arc::new(result.moved(indices.iter().map(|&i| x.place(i)).collect())))
                }
                (Gate::Client(client), operands) => Gate::Client(Arc::new(grouped(client, operands, result))),
                (gate, _) => gate.clone(),
            };
            node.gate = gate;
        }
        Ok(masked)
    }

    fn value<'a>(&'a self, mask: &'a Mask, index: usize) -> Value<'a> {
        let places = mask.places.get(index).and_then(Option::as_deref);
        Value { classes: self.factors.of_value(index), factors: &mask.factors, places }
    }
}

/// What a mask does to one value.
#[derive(Clone, Copy)]
struct Value<'a> {
    classes: &'a [u32],
    factors: &'a [f64],
    places: Option<&'a [u32]>,
}

impl Value<'_> {
    /// The factor's number of an element.
    fn class(&self, element: u32) -> u32 {
        self.classes.get(element as usize).copied().unwrap_or(0)
    }

    fn factor(&self, element: usize) -> f64 {
        self.factors.get(self.class(element as u32) as usize).copied().unwrap_or(1.0)
    }

    fn place(&self, element: u32) -> u32 {
        self.places.and_then(|places| places.get(element as usize)).copied().unwrap_or(element)
    }

    /// Entry i at the place of element i.
    fn moved<T: Copy>(&self, entries: Vec<T>) -> Vec<T> {
        let mut moved = entries.clone();
        for (element, &entry) in entries.iter().enumerate() {
            if let Some(slot) = moved.get_mut(self.place(element as u32) as usize) {
                *slot = entry;
            }
        }
        moved
    }

    fn places_of(&self, elements: &[u32]) -> Vec<u32> {
        elements.iter().map(|&e| self.place(e)).collect()
    }
}

/// Row r times the factor of its result, column k over the factor of its operand; groups go on sharing blocks as far as their factors do.
fn linear(map: &AffineMap, x: Value<'_>, result: Value<'_>) -> Result<Arc<AffineMap>, ShapeError> {
    let mut blocks = Vec::new();
    let mut known: HashMap<(usize, Vec<u32>), usize> = HashMap::new();
    let mut groups = Vec::with_capacity(map.groups().len());
    let is_scaled = [x, result].iter().any(|value| value.classes.iter().any(|&class| class != 0));
    for group in map.groups() {
        let classes = group.outputs.iter().map(|&o| result.class(o)).chain(group.inputs.iter().map(|&i| x.class(i)));
        let block = match known.entry((group.block, classes.filter(|_| is_scaled).collect())) {
            std::collections::hash_map::Entry::Occupied(entry) => *entry.get(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let block = map.block(group);
                let mut weights = Vec::with_capacity(block.weights().len());
                for (row, &output) in group.outputs.iter().enumerate() {
                    let factor = result.factor(output as usize);
                    let columns = block.row(row).iter().zip(&group.inputs);
                    weights.extend(columns.map(|(w, &input)| w * factor / x.factor(input as usize)));
                }
                blocks.push(AffineBlock::new(block.rows(), block.columns(), weights)?);
                *entry.insert(blocks.len() - 1)
            }
        };
        let (inputs, outputs) = (x.places_of(&group.inputs), result.places_of(&group.outputs));
        groups.push(AffineGroup { inputs, outputs, block });
    }
    let bias = map.bias().iter().enumerate().map(|(o, b)| b * result.factor(o)).collect();
    Ok(Arc::new(AffineMap::new(map.inputs(), blocks, groups, result.moved(bias))?))
}

/// The same groups, by where their elements went.
fn grouped(client: &ClientGate, operands: &[Value<'_>], result: Value<'_>) -> ClientGate {
    let mut read: Vec<u32> = Vec::new();
    for operand in operands {
        let first = read.len() as u32;
        read.extend((0..operand.classes.len() as u32).map(|e| first + operand.place(e)));
    }
    let group = |group: &RefreshGroup| RefreshGroup {
        inputs: group.inputs.iter().filter_map(|&i| read.get(i as usize).copied()).collect(),
        outputs: result.places_of(&group.outputs),
    };
    let groups = client.groups.as_ref().map(|groups| groups.iter().map(group).collect());
    ClientGate { function: client.function, groups }
}

/// A uniformly random order of `0..len` (Fisher and Yates).
fn order<E>(len: usize, random: Random<'_, E>) -> Result<Vec<u32>, E> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    for last in (1..len).rev() {
        let bound = last as u64 + 1;
        // Without the bias of a remainder.
        let zone = u64::MAX - u64::MAX % bound;
        let chosen = loop {
            let x = random()?;
            if x < zone {
                break x % bound;
            }
        };
        order.swap(last, chosen as usize);
    }
    Ok(order)
}
