//! What a server can make the client hold: counted before memory is taken for it, and refused where it is more than the client allows.
//!
//! A request: its tile as it came, in words and decrypted; the numbers of its values and results, one for each image; its results in words and as they
//! leave. The outputs: the same of their ciphertexts, together, and their numbers. Beside the request in work at most three tiles wait as they came, and
//! five answers as they leave.

use he_params::{CkksParams, Level};
use protocol::{Ask, Asked, Description};

use crate::ClientError;
use crate::traffic::minimum;

/// The limit of a client, for batches of so many images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory<'a> {
    pub(crate) limit: u64,
    pub(crate) model: &'a Description,
    pub(crate) images: usize,
}

impl Memory<'_> {
    /// Refuses a model whose largest request, or whose outputs, take more at the least: requests say themselves at which level they are.
    pub(crate) fn check_model(&self) -> Result<(), ClientError> {
        let Description { params, tile_values, refreshes, outputs, .. } = self.model;
        let values = if *refreshes > 0 { *tile_values } else { 0 };
        self.check("a request", self.answer(values, *tile_values, Level::new(0)))?;
        let ciphertexts: f64 = outputs.iter().map(|port| minimum(params, 2 * port.elements(), port.level)).sum();
        self.check_outputs(ciphertexts as u64)
    }

    /// Refuses a request that takes more, its tile at most `longest` bytes.
    pub(crate) fn check_request(&self, ask: &Ask, longest: u64) -> Result<(), ClientError> {
        let (tile, values) = match &ask.what {
            Asked::Input { .. } => (0, 0),
            Asked::Refresh { bytes, groups: None, .. } => (*bytes, ask.results),
            Asked::Refresh { bytes, groups: Some(_), .. } => (*bytes, self.model.tile_values),
        };
        let tile = self.decrypted(tile.min(longest));
        self.check("a request", tile + self.answer(values, ask.results, ask.level))
    }

    /// Refuses outputs that take more, when their ciphertexts come in so many bytes.
    pub(crate) fn check_outputs(&self, bytes: u64) -> Result<(), ClientError> {
        let elements = self.model.outputs.iter().map(|port| port.elements()).sum();
        self.check("the outputs", self.decrypted(bytes) + self.numbers(elements))
    }

    /// Ciphertexts as they came, the same in words, and a plaintext for two components or more.
    fn decrypted(&self, bytes: u64) -> f64 {
        bytes as f64 * (1.0 + 1.5 * in_words(&self.model.params))
    }

    /// Numbers of values and results, and the results as fresh ciphertexts.
    fn answer(&self, values: usize, results: usize, level: Level) -> f64 {
        let params = &self.model.params;
        self.numbers(values + results) + minimum(params, results, level) * (1.0 + in_words(params))
    }

    fn numbers(&self, rows: usize) -> f64 {
        rows as f64 * self.images as f64 * size_of::<f64>() as f64
    }

    fn check(&self, what: &'static str, needed: f64) -> Result<(), ClientError> {
        let limit = self.limit;
        if needed <= limit as f64 { Ok(()) } else { Err(ClientError::Memory { what, needed: needed as u64, limit }) }
    }
}

/// How many times its packed length a residue takes in a word, at the most: 32 bits below 2^30, else 64.
fn in_words(params: &CkksParams) -> f64 {
    let times = |q: &u64| (if q >> 30 == 0 { 32.0 } else { 64.0 }) / (*q as f64).log2();
    params.q().iter().map(times).fold(1.0, f64::max)
}
