//! A key owner without keys: inputs and functions in the clear.

use std::collections::VecDeque;

use super::{ClearError, ClearTensor};
use crate::{Asked, Batch, PortError, RefreshPort, Request};

/// Answers every request at once, with numbers.
#[derive(Clone, Debug)]
pub struct ClearPort {
    inputs: Vec<Batch>,
    answers: VecDeque<(u64, ClearTensor)>,
    asked: u64,
}

impl ClearPort {
    /// The batches of all inputs, in the order of the program.
    pub fn new(inputs: Vec<Batch>) -> Self {
        Self { inputs, answers: VecDeque::new(), asked: 0 }
    }

    /// Requests so far.
    pub fn asked(&self) -> u64 {
        self.asked
    }

    fn answer(&self, request: &Request<ClearTensor>) -> Result<ClearTensor, ClearError> {
        let batch = match &request.what {
            Asked::Input { input, elements } => {
                let batch = self.inputs.get(*input).ok_or(ClearError::Element { index: *input, elements: 0 })?;
                let mut tile = Batch::zero(elements.len(), batch.images());
                for (row, &element) in tile.values_mut().chunks_exact_mut(batch.images().max(1)).zip(elements.iter()) {
                    let from = batch.row(element as usize);
                    if from.len() != row.len() {
                        return Err(ClearError::Element { index: element as usize, elements: batch.elements() });
                    }
                    row.copy_from_slice(from);
                }
                tile
            }
            Asked::Refresh { function, groups, tile, .. } => {
                let images = tile.batch().images();
                let outside = ClearError::Element { index: request.results, elements: tile.batch().elements() };
                let made = function.apply_tile(groups.as_deref(), tile.batch().values(), images, request.results);
                let rows = made.ok_or(outside.clone())?;
                Batch::from_rows(rows, images).map_err(|_| outside)?
            }
        };
        Ok(ClearTensor::new(batch, request.level, request.scale))
    }
}

impl RefreshPort<ClearTensor> for ClearPort {
    fn send(&mut self, request: Request<ClearTensor>) -> Result<(), PortError> {
        self.asked += 1;
        let answer = self.answer(&request)?;
        self.answers.push_back((request.sequence, answer));
        Ok(())
    }

    fn receive(&mut self, sequence: u64) -> Result<ClearTensor, PortError> {
        match self.answers.pop_front() {
            Some((found, answer)) if found == sequence => Ok(answer),
            found => {
                Err(format!("request {sequence} is waited for, the next answer is {:?}", found.map(|f| f.0)).into())
            }
        }
    }
}
