//! Which inputs each output of an affine map depends on, without the weights: what a composition would cost, known
//! before it is computed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use graph::ShapeError;
use graph::affine::AffineMap;

/// The dependencies of an affine map, or of a composition of several.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Number of inputs.
    inputs: usize,
    /// By output: the set it depends on; none for an output that is only a bias.
    sources: Vec<Option<u32>>,
    /// Sets of inputs, ascending.
    sets: Vec<Vec<u32>>,
}

impl Pattern {
    /// The dependencies of a map.
    pub fn of(map: &AffineMap) -> Self {
        let mut pattern = Self { inputs: map.inputs(), sources: vec![None; map.outputs()], sets: Vec::new() };
        for group in map.groups() {
            let mut set = group.inputs.clone();
            set.sort_unstable();
            pattern.add(set, &group.outputs);
        }
        pattern
    }

    /// The dependencies of `second` after this.
    ///
    /// # Errors
    /// When `second` does not take as many elements as this gives.
    pub fn then(&self, second: &AffineMap) -> Result<Self, ShapeError> {
        if self.sources.len() != second.inputs() {
            return Err(ShapeError::Mismatch {
                what: "outputs of the first map and inputs of the second",
                left: self.sources.len().to_string(),
                right: second.inputs().to_string(),
            });
        }
        let mut result = Self { inputs: self.inputs, sources: vec![None; second.outputs()], sets: Vec::new() };
        let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
        // Rounds in which an input, and a set of inputs, was last seen.
        let mut seen = vec![0usize; self.inputs];
        let mut visited = vec![0usize; self.sets.len()];
        for (round, group) in (1..).zip(second.groups()) {
            let mut union = Vec::new();
            for set in group.inputs.iter().filter_map(|&element| self.sources[element as usize]) {
                let set = set as usize;
                if std::mem::replace(&mut visited[set], round) == round {
                    continue;
                }
                let new = self.sets[set].iter().filter(|&&i| std::mem::replace(&mut seen[i as usize], round) != round);
                union.extend(new);
            }
            if union.is_empty() {
                continue;
            }
            union.sort_unstable();
            match known.entry(union) {
                Entry::Occupied(set) => result.assign(*set.get(), &group.outputs),
                Entry::Vacant(entry) => {
                    let set = entry.key().clone();
                    entry.insert(result.add(set, &group.outputs));
                }
            }
        }
        Ok(result)
    }

    /// Multiplications for one image of a map with these dependencies.
    pub fn multiplications(&self) -> usize {
        self.sources.iter().flatten().map(|&set| self.sets[set as usize].len()).sum()
    }

    fn add(&mut self, set: Vec<u32>, outputs: &[u32]) -> u32 {
        // There are at most as many sets as outputs, whose indices are `u32`.
        let index = self.sets.len() as u32;
        self.sets.push(set);
        self.assign(index, outputs);
        index
    }

    fn assign(&mut self, set: u32, outputs: &[u32]) {
        for &output in outputs {
            self.sources[output as usize] = Some(set);
        }
    }
}
