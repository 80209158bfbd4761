//! Constants measured on one machine, as a file.
//!
//! Format: JSON, version 2 (version 1 had one class of 64-bit words): the machine's name, the instruction set and the threads that were timed, and the constants of [`CostModel`].

use serde::{Deserialize, Serialize};

use super::CostModel;

const VERSION: u32 = 2;

/// Largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 16;

/// What was measured, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineCosts {
    henge_cost_model: u32,
    /// The processor.
    pub machine: String,
    /// The instruction set that the kernels ran on.
    pub isa: String,
    /// Threads that `parallel_efficiency` was measured with.
    pub threads: usize,
    /// The constants.
    pub costs: CostModel,
}

#[derive(Deserialize)]
struct Versioned {
    henge_cost_model: u32,
}

/// Why a file is no cost model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CostModelError {
    /// Too long to be read at all.
    #[error("cost model of {found} bytes, at most {MAX_BYTES}")]
    TooLarge {
        /// Bytes given.
        found: usize,
    },
    /// Not JSON, or not of this form.
    #[error("not a cost model: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Written by another version.
    #[error("cost model of version {found}, this reads version {VERSION}: measure again with henge calibrate")]
    Version {
        /// Version of the file.
        found: u32,
    },
    /// A constant that no machine has.
    #[error("cost model: {name} is {found}, expected {expected}")]
    Constant {
        /// Its name.
        name: &'static str,
        /// What the file says.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
}

impl MachineCosts {
    /// Checked constants of a machine.
    ///
    /// # Errors
    /// A constant that no machine has.
    pub fn new(machine: String, isa: String, threads: usize, costs: CostModel) -> Result<Self, CostModelError> {
        let model = Self { henge_cost_model: VERSION, machine, isa, threads, costs };
        model.check()?;
        Ok(model)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// See [`CostModelError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CostModelError> {
        if bytes.len() > MAX_BYTES {
            return Err(CostModelError::TooLarge { found: bytes.len() });
        }
        // Of another version nothing but the version can be read.
        let Versioned { henge_cost_model: found } = serde_json::from_slice(bytes)?;
        if found != VERSION {
            return Err(CostModelError::Version { found });
        }
        let model: Self = serde_json::from_slice(bytes)?;
        model.check()?;
        Ok(model)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// Only when the writer of JSON fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CostModelError> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn check(&self) -> Result<(), CostModelError> {
        let CostModel { butterfly_ns, multiply_accumulate_ns, pass_ns, sample_ns, parallel_efficiency } = self.costs;
        let constants = [
            ("butterfly_ns", butterfly_ns),
            ("multiply_accumulate_ns", multiply_accumulate_ns),
            ("pass_ns", pass_ns),
            ("sample_ns", sample_ns),
        ];
        for (name, found) in constants.into_iter().flat_map(|(name, pair)| pair.map(|found| (name, found))) {
            if !(found > 0.0 && found <= 1e6) {
                return Err(CostModelError::Constant { name, found, expected: "nanoseconds above 0, at most 1e6" });
            }
        }
        if !(0.0..=1.0).contains(&parallel_efficiency) {
            let (name, expected) = ("parallel_efficiency", "0 to 1");
            return Err(CostModelError::Constant { name, found: parallel_efficiency, expected });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let model = MachineCosts::new("a machine".into(), "avx2".into(), 2, CostModel::default()).unwrap();
        let mut value = serde_json::to_value(model).unwrap();
        change(&mut value);
        serde_json::to_vec(&value).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let model = MachineCosts::new("a machine".into(), "avx2".into(), 2, CostModel::default()).unwrap();
        assert_eq!(MachineCosts::from_bytes(&model.to_bytes().unwrap()).unwrap(), model);
    }

    #[test]
    fn bad_files_are_refused_with_the_reason() {
        let refused = |bytes: &[u8]| MachineCosts::from_bytes(bytes).unwrap_err().to_string();
        assert_eq!(refused(&vec![b' '; MAX_BYTES + 1]), "cost model of 65537 bytes, at most 65536");
        assert!(refused(b"butterfly").starts_with("not a cost model: expected value"));
        assert!(refused(&file(|v| v["more"] = 1.into())).contains("unknown field `more`"));
        assert!(refused(&file(|v| v["costs"]["pass_ns"] = 1.into())).starts_with("not a cost model"));
        let old = file(|v| {
            v["henge_cost_model"] = 1.into();
            v["costs"]["pass_ns"].as_array_mut().unwrap().pop();
        });
        assert_eq!(refused(&old), "cost model of version 1, this reads version 2: measure again with henge calibrate");
        let negative = file(|v| v["costs"]["sample_ns"][1] = (-1.0).into());
        assert_eq!(refused(&negative), "cost model: sample_ns is -1, expected nanoseconds above 0, at most 1e6");
        let many = file(|v| v["costs"]["parallel_efficiency"] = 1.5.into());
        assert_eq!(refused(&many), "cost model: parallel_efficiency is 1.5, expected 0 to 1");
    }
}
