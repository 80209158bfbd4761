//! Which values share an order, and in what units.

use super::sets::Sets;
use super::{Pin, each_group};
use crate::lowering::{Circuit, CircuitNode, Gate};

/// Values whose elements have to stand in one order.
#[derive(Clone, Debug)]
pub(super) struct Orders {
    /// One entry per set of values.
    pub(super) sets: Vec<OrderSet>,
    of: Vec<usize>,
}

/// A set of values of one order.
#[derive(Clone, Debug)]
pub(super) struct OrderSet {
    pub(super) values: Vec<usize>,
    pub(super) pin: Option<Pin>,
    /// Channels of every value of the set; all elements of each where none of them has channels.
    pub(super) channels: usize,
    /// Elements of every value of the set, where that is one number.
    pub(super) elements: Option<usize>,
    /// Whether the key owner sees any of them.
    pub(super) is_seen: bool,
}

impl Orders {
    pub(super) fn of(circuit: &Circuit) -> Orders {
        let mut sets = Sets::new(circuit.nodes.len());
        for (index, node) in circuit.nodes.iter().enumerate() {
            match &node.gate {
                Gate::Input { .. } => sets.pin(index, Pin::Input),
                gate => {
                    for &operand in &node.operands {
                        if keeps_order(gate) || stays_in_channels(node, &circuit.nodes[operand]) {
                            sets.unite(index, operand);
                        }
                    }
                }
            }
        }
        for &(_, index) in &circuit.outputs {
            sets.pin(index, Pin::Output);
        }
        let mut orders = Orders { sets: Vec::new(), of: vec![0; circuit.nodes.len()] };
        let mut places = vec![None; circuit.nodes.len()];
        for index in 0..circuit.nodes.len() {
            let set = sets.find(index);
            let place = *places[set].get_or_insert_with(|| {
                let pin = sets.pinned(index);
                orders.sets.push(OrderSet { values: vec![], pin, channels: 0, elements: None, is_seen: false });
                orders.sets.len() - 1
            });
            orders.of[index] = place;
            orders.sets[place].values.push(index);
        }
        for (index, node) in circuit.nodes.iter().enumerate() {
            if matches!(node.gate, Gate::Client(_)) {
                node.operands.iter().chain([&index]).for_each(|&x| orders.sets[orders.of[x]].is_seen = true);
            }
        }
        orders.sets.iter_mut().for_each(|set| set.measure(circuit));
        orders
    }

    pub(super) fn pinned(&self, value: usize) -> Option<Pin> {
        self.sets[self.of[value]].pin
    }
}

impl OrderSet {
    fn measure(&mut self, circuit: &Circuit) {
        let nodes = || self.values.iter().map(|&x| &circuit.nodes[x]);
        let elements = one(nodes().map(CircuitNode::elements));
        let has_channels = nodes().any(|node| node.shape.len() > 2);
        let channels = one(nodes().filter(|node| node.shape.len() > 2).map(|node| node.shape[0]));
        let channels = if has_channels { channels } else { elements };
        let divides = |channels: &usize| *channels > 0 && nodes().all(|node| node.elements() % channels == 0);
        let channels = channels.filter(divides);
        if channels.is_none() {
            self.pin = self.pin.or(Some(Pin::Shapes));
        }
        (self.channels, self.elements) = (channels.unwrap_or(1), elements);
    }
}

/// The number that all are.
fn one(mut numbers: impl Iterator<Item = usize>) -> Option<usize> {
    let first = numbers.next();
    first.filter(|&first| numbers.all(|other| other == first))
}

/// Whether element i of the result comes from element i of every operand.
fn keeps_order(gate: &Gate) -> bool {
    match gate {
        Gate::Client(client) => client.groups.is_none(),
        Gate::Linear(_) | Gate::Gather(_) | Gate::Input { .. } => false,
        _ => true,
    }
}

/// Whether both have the same number of channels (shape `[channels, spatial..]`) and channel c of the result needs channel c of the operand and
/// no other: then tiles of whole channels stay tiles of whole channels only where both have one order.
fn stays_in_channels(node: &CircuitNode, operand: &CircuitNode) -> bool {
    let (&[channels, _, _, ..], &[from, _, _, ..]) = (node.shape.as_slice(), operand.shape.as_slice()) else {
        return false;
    };
    if channels != from || channels == 0 {
        return false;
    }
    let [pixels, from_pixels] = [node, operand].map(|node| node.elements() / channels);
    let mut stays = true;
    let mut check = |inputs: &[u32], outputs: &[u32]| {
        let channel = outputs.first().map(|&o| o as usize / pixels.max(1));
        stays &= outputs.iter().all(|&o| Some(o as usize / pixels.max(1)) == channel);
        stays &= inputs.iter().all(|&i| Some(i as usize / from_pixels.max(1)) == channel);
    };
    match &node.gate {
        Gate::Linear(map) => map.groups().iter().for_each(|group| check(&group.inputs, &group.outputs)),
        Gate::Client(client) => each_group(client, node.elements(), check),
        Gate::Gather(indices) => indices.iter().zip(0..).for_each(|(&i, o)| check(&[i], &[o])),
        _ => return false,
    }
    stays
}
