//! Which elements stand together: the tiles of every value.
//!
//! Element-wise operations keep the tiles of their result. Else a value's elements are put in an order, position after position or channel after
//! channel (shape `[channels, spatial..]`), whichever lets the tiles of its reader begin sooner, and cut into tiles of about one size, which
//! keep positions (or channels) whole.

use std::collections::HashMap;
use std::sync::Arc;

use he_ir::{HeProgram, Node, Op};

/// The tiles of one value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tiling {
    /// The elements of each tile.
    pub(super) tiles: Vec<Arc<[u32]>>,
    /// Tile and position in it of each element.
    pub(super) places: Vec<(u32, u32)>,
}

/// The tiles of all values; tiles are numbered through, value after value.
#[derive(Clone, Debug)]
pub(super) struct Tilings {
    values: Vec<Arc<Tiling>>,
    first: Vec<usize>,
}

/// A unit of positions or channels is kept whole up to so many times the size asked for.
const LARGEST_UNIT: usize = 2;

impl Tiling {
    fn new(order: &[u32], size: usize) -> Self {
        Self::of_tiles(order.chunks(size).map(<[u32]>::to_vec).collect(), order.len())
    }

    fn of_tiles(tiles: Vec<Vec<u32>>, elements: usize) -> Self {
        let tiles: Vec<Arc<[u32]>> = tiles.into_iter().map(Arc::from).collect();
        let mut places = vec![(0, 0); elements];
        for (tile, elements) in tiles.iter().enumerate() {
            for (position, &element) in elements.iter().enumerate() {
                if let Some(place) = places.get_mut(element as usize) {
                    *place = (tile as u32, position as u32);
                }
            }
        }
        Self { tiles, places }
    }

    fn byte_len(&self) -> usize {
        let elements = self.tiles.iter().map(|tile| size_of_val(&tile[..])).sum::<usize>();
        elements + size_of_val(&self.tiles[..]) + size_of_val(&self.places[..])
    }

    /// Elements in some order that keeps units whole.
    fn of_units(order: &[u32], unit: usize, size: usize) -> Self {
        let size = match unit {
            1.. if unit <= size.saturating_mul(LARGEST_UNIT) => (size / unit).max(1).saturating_mul(unit),
            _ => size,
        };
        Self::new(order, size.min(order.len().max(1)))
    }
}

impl Tilings {
    pub(super) fn new(program: &HeProgram, size: usize) -> Self {
        let nodes = program.nodes();
        let mut values: Vec<Option<Arc<Tiling>>> = vec![None; nodes.len()];
        for (index, node) in nodes.iter().enumerate().rev() {
            let own = together(node, size).map(Arc::new).or_else(|| values.get(index).cloned().flatten());
            let own = own.unwrap_or_else(|| Arc::new(orders(&node.value().shape, size).swap_remove(0)));
            for (nth, operand) in node.operands().iter().enumerate() {
                let Some(value) = program.node(*operand).map(Node::value) else { continue };
                let Some(slot) = values.get_mut(operand.index()) else { continue };
                if slot.is_some() {
                    continue;
                }
                *slot = Some(match keeps_tiles(node.op()) {
                    true => Arc::clone(&own),
                    false => {
                        let before: usize = node
                            .operands()
                            .iter()
                            .take(nth)
                            .filter_map(|id| program.node(*id))
                            .map(|n| n.value().elements())
                            .sum();
                        let mut orders = orders(&value.shape, size);
                        let cost = |tiling: &Tiling| waiting(node.op(), &own, tiling, before);
                        let best = (0..orders.len()).min_by_key(|&i| orders.get(i).map(cost)).unwrap_or(0);
                        Arc::new(orders.swap_remove(best))
                    }
                });
            }
            if let Some(slot) = values.get_mut(index) {
                *slot = Some(own);
            }
        }
        let values: Vec<Arc<Tiling>> = values.into_iter().flatten().collect();
        let first = values.iter().scan(0, |next, tiling| {
            let first = *next;
            *next += tiling.tiles.len();
            Some(first)
        });
        Self { first: first.collect(), values }
    }

    /// The tiles of a value.
    pub(super) fn of(&self, value: usize) -> Option<&Arc<Tiling>> {
        self.values.get(value)
    }

    /// The number of a value's tile among all.
    pub(super) fn number(&self, value: usize, tile: usize) -> usize {
        self.first.get(value).map_or(usize::MAX, |first| first + tile)
    }

    /// Bytes of the lists; values that have the same tiles share them.
    pub(super) fn byte_len(&self) -> usize {
        let shared: HashMap<_, _> = self.values.iter().map(|tiling| (Arc::as_ptr(tiling), tiling.byte_len())).collect();
        shared.values().sum()
    }

    /// Tiles of all values.
    pub(super) fn count(&self) -> usize {
        self.values.iter().map(|tiling| tiling.tiles.len()).sum()
    }
}

/// Whether tile i of the result needs tile i of every operand and nothing else, when both have the same tiles.
pub(super) fn keeps_tiles(op: &Op) -> bool {
    match op {
        Op::Refresh { refresh } => refresh.groups.is_none(),
        Op::Linear { .. } | Op::Gather { .. } => false,
        _ => true,
    }
}

/// Tiles that keep together the results of each group of a refresh; `None` where a group has one result.
fn together(node: &Node, size: usize) -> Option<Tiling> {
    let Op::Refresh { refresh } = node.op() else { return None };
    let groups = refresh.groups.as_ref().filter(|groups| groups.iter().any(|group| group.outputs.len() > 1))?;
    let mut tiles: Vec<Vec<u32>> = Vec::new();
    for group in groups {
        match tiles.last_mut().filter(|tile| tile.len() + group.outputs.len() <= size) {
            Some(tile) => tile.extend(&group.outputs),
            None => tiles.push(group.outputs.clone()),
        }
    }
    Some(Tiling::of_tiles(tiles, refresh.results()))
}

/// The orders that a value may have: position after position first.
fn orders(shape: &[usize], size: usize) -> Vec<Tiling> {
    let elements: usize = shape.iter().product();
    let natural: Vec<u32> = (0..elements as u32).collect();
    let &[channels, _, ..] = shape else { return vec![Tiling::of_units(&natural, 1, size)] };
    let pixels = elements.checked_div(channels).unwrap_or(0);
    if shape.len() < 3 || pixels == 0 {
        return vec![Tiling::of_units(&natural, 1, size)];
    }
    let by_position: Vec<u32> =
        (0..pixels).flat_map(|pixel| (0..channels).map(move |channel| (channel * pixels + pixel) as u32)).collect();
    vec![Tiling::of_units(&by_position, channels, size), Tiling::of_units(&natural, pixels, size)]
}

/// How many elements of an operand have to be there before each tile of the result, in whole tiles, summed over the result; `before` is the number
/// of the operand's first element.
fn waiting(op: &Op, result: &Tiling, operand: &Tiling, before: usize) -> usize {
    let there = operand.tiles.iter().scan(0, |there, tile| {
        *there += tile.len();
        Some(*there)
    });
    let there: Vec<usize> = there.collect();
    let place = |element: u32| {
        let place = (element as usize).checked_sub(before).and_then(|e| operand.places.get(e));
        place.and_then(|place| there.get(place.0 as usize)).copied().unwrap_or(0)
    };
    let mut last = vec![0usize; result.tiles.len()];
    let mut note = |output: u32, at: usize| {
        let tile = result.places.get(output as usize).map(|place| place.0 as usize);
        if let Some(last) = tile.and_then(|tile| last.get_mut(tile)) {
            *last = (*last).max(at);
        }
    };
    match op {
        Op::Linear { map } => {
            for group in map.groups().iter() {
                let at = group.inputs.iter().map(|&i| place(i)).max().unwrap_or(0);
                group.outputs.iter().for_each(|&o| note(o, at));
            }
        }
        Op::Refresh { refresh } => {
            for group in refresh.groups.iter().flatten() {
                let at = group.inputs.iter().map(|&i| place(i)).max().unwrap_or(0);
                group.outputs.iter().for_each(|&o| note(o, at));
            }
        }
        Op::Gather { indices, .. } => (0..).zip(indices.iter()).for_each(|(o, &i)| note(o, place(i))),
        _ => {}
    }
    last.iter().sum()
}
