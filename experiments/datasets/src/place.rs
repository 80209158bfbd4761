//! Files by the names that a user or a build gives them.
//!
//! Under `bazel run` the working directory is where Bazel laid the program's data, and `BUILD_WORKING_DIRECTORY` is where the user stands;
//! elsewhere both are the working directory.

use std::path::{Path, PathBuf};

use crate::{DatasetError, data_root_from};

/// A path as the user meant it.
pub fn of_user(path: &Path) -> PathBuf {
    match std::env::var_os("BUILD_WORKING_DIRECTORY") {
        Some(stands) => Path::new(&stands).join(path),
        None => path.to_path_buf(),
    }
}

/// As [`crate::data_root`], `HENGE_DATA` being a path as the user meant it.
///
/// # Errors
/// As [`crate::data_root`].
pub fn data_root_of_user() -> Result<PathBuf, DatasetError> {
    let named = std::env::var_os("HENGE_DATA").map(|folder| of_user(Path::new(&folder)));
    data_root_from(named.as_deref(), Path::new(""))
}

/// A committed model of an experiment by its file name: below the root of the repository (the working directory under Bazel), else below
/// the folder that cargo names.
///
/// # Errors
/// [`DatasetError::NoModel`].
pub fn committed_model(experiment: &str, name: &str) -> Result<PathBuf, DatasetError> {
    let below_root = Path::new("experiments").join(experiment).join("models").join(name);
    let below_crate = std::env::var_os("CARGO_MANIFEST_DIR").map(|folder| Path::new(&folder).join("models").join(name));
    let found = [Some(&below_root), below_crate.as_ref()].into_iter().flatten().find(|path| path.exists());
    found.cloned().ok_or(DatasetError::NoModel(below_root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_not_there_is_named() {
        let text = committed_model("cryptonets", "none.onnx").unwrap_err().to_string();
        assert!(text.contains("experiments/cryptonets/models/none.onnx") && text.contains("root of the repository"));
    }
}
