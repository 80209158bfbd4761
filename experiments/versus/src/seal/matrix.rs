//! One matrix of scalars times rows of 64-bit residues, on SEAL's side.

use anyhow::Context;
use cxx::UniquePtr;

use super::bridge;

/// `outputs x inputs` scalars, and `inputs * components` rows of one prime.
pub(crate) struct Matrix(UniquePtr<bridge::Matrix>);

impl Matrix {
    pub(crate) fn new(
        log_n: u32,
        q: u64,
        inputs: usize,
        outputs: usize,
        components: usize,
        weights: &[i64],
    ) -> anyhow::Result<Matrix> {
        let matrix = bridge::make_matrix(log_n, q, inputs, outputs, components, weights);
        Ok(Matrix(matrix.context("no such matrix")?))
    }

    pub(crate) fn set_row(&mut self, row: usize, words: &[u64]) -> anyhow::Result<()> {
        Ok(self.0.pin_mut().set_row(row, words)?)
    }

    /// All products of one run, by AVX2 or by SEAL's kernels, on this thread.
    pub(crate) fn run(&mut self, hand_tuned: bool) -> anyhow::Result<()> {
        Ok(self.0.pin_mut().run(hand_tuned)?)
    }

    /// One row of the result.
    pub(crate) fn result(&self, row: usize) -> anyhow::Result<Vec<u64>> {
        Ok(self.0.as_ref().context("no matrix")?.result(row)?)
    }
}
