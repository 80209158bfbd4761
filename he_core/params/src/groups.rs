//! Which elements a linear layer connects: groups of outputs that read the same inputs through one block of weights.
//!
//! Layout: a layer has a group per position of a convolution, millions in all, so they lie one behind the other in flat lists; a group is where its
//! part of each list ends.

/// Outputs that read the same inputs through one block of weights, on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Elements read, one per column of the block.
    pub inputs: Vec<u32>,
    /// Elements written, one per row of the block.
    pub outputs: Vec<u32>,
    /// Index of the block.
    pub block: usize,
}

/// A group of [`Groups`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupRef<'a> {
    /// Elements read, one per column of the block.
    pub inputs: &'a [u32],
    /// Elements written, one per row of the block.
    pub outputs: &'a [u32],
    /// Index of the block.
    pub block: usize,
}

/// The groups of a layer, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    inputs: Vec<u32>,
    outputs: Vec<u32>,
    ends: Vec<End>,
}

/// Where a group ends in each list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    inputs: usize,
    outputs: usize,
    block: usize,
}

impl Groups {
    /// Adds a group.
    pub fn push(
        &mut self,
        inputs: impl IntoIterator<Item = u32>,
        outputs: impl IntoIterator<Item = u32>,
        block: usize,
    ) {
        self.inputs.extend(inputs);
        self.outputs.extend(outputs);
        self.ends.push(End { inputs: self.inputs.len(), outputs: self.outputs.len(), block });
    }

    /// Gives back what the lists have reserved beyond their groups.
    pub fn shrink_to_fit(&mut self) {
        self.inputs.shrink_to_fit();
        self.outputs.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The group added as number `index`, counted from 0.
    pub fn get(&self, index: usize) -> Option<GroupRef<'_>> {
        let &End { inputs, outputs, block } = self.ends.get(index)?;
        let (first_input, first_output) = match index.checked_sub(1).and_then(|before| self.ends.get(before)) {
            Some(before) => (before.inputs, before.outputs),
            None => (0, 0),
        };
        Some(GroupRef {
            inputs: &self.inputs[first_input..inputs],
            outputs: &self.outputs[first_output..outputs],
            block,
        })
    }

    /// All groups.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = GroupRef<'_>> {
        let (mut first_input, mut first_output) = (0, 0);
        self.ends.iter().map(move |&End { inputs, outputs, block }| {
            let first = (std::mem::replace(&mut first_input, inputs), std::mem::replace(&mut first_output, outputs));
            GroupRef { inputs: &self.inputs[first.0..inputs], outputs: &self.outputs[first.1..outputs], block }
        })
    }

    /// Bytes of the lists.
    pub fn byte_len(&self) -> usize {
        size_of_val(&self.inputs[..]) + size_of_val(&self.outputs[..]) + size_of_val(&self.ends[..])
    }
}

impl FromIterator<Group> for Groups {
    fn from_iter<I: IntoIterator<Item = Group>>(groups: I) -> Self {
        let mut flat = Self::default();
        groups.into_iter().for_each(|group| flat.push(group.inputs, group.outputs, group.block));
        flat.shrink_to_fit();
        flat
    }
}

impl From<Vec<Group>> for Groups {
    fn from(groups: Vec<Group>) -> Self {
        groups.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_back_as_they_were_added() {
        let all = vec![
            Group { inputs: vec![4, 5], outputs: vec![0], block: 1 },
            Group { inputs: vec![], outputs: vec![2, 1], block: 0 },
            Group { inputs: vec![7], outputs: vec![], block: 1 },
        ];
        let groups = Groups::from(all.clone());
        assert_eq!(groups.len(), 3);
        for (index, (flat, group)) in groups.iter().zip(&all).enumerate() {
            assert_eq!((flat.inputs, flat.outputs, flat.block), (&group.inputs[..], &group.outputs[..], group.block));
            assert_eq!(groups.get(index), Some(flat));
        }
        assert_eq!(groups.get(3), None);
        assert_eq!(groups.byte_len(), 6 * size_of::<u32>() + 3 * size_of::<End>());
        assert!(Groups::default().is_empty() && Groups::default().get(0).is_none());
    }
}
