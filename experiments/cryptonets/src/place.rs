//! Files by the names that a user or a build gives them.
//!
//! Under `bazel run` the working directory is where Bazel laid the program's data, and `BUILD_WORKING_DIRECTORY` is
//! where the user stands; elsewhere both are the working directory.

use std::path::{Path, PathBuf};

use datasets::{Dataset, DatasetError, data_root_from};

/// A path as the user meant it.
pub(crate) fn of_user(path: &Path) -> PathBuf {
    match std::env::var_os("BUILD_WORKING_DIRECTORY") {
        Some(stands) => Path::new(&stands).join(path),
        None => path.to_path_buf(),
    }
}

/// The folder with the data sets.
pub(crate) fn data() -> Result<PathBuf, DatasetError> {
    let named = std::env::var_os("HENGE_DATA").map(|folder| of_user(Path::new(&folder)));
    data_root_from(named.as_deref(), Path::new(""))
}

/// The committed model for a data set.
pub(crate) fn committed_model(dataset: Dataset) -> anyhow::Result<PathBuf> {
    committed(&format!("{}_squashed.onnx", dataset.name()))
}

/// A committed model by its file name: below the root of the repository (the working directory under Bazel), else
/// below the folder that cargo names.
pub(crate) fn committed(name: &str) -> anyhow::Result<PathBuf> {
    let below_root = Path::new("experiments/cryptonets/models").join(name);
    let below_crate = std::env::var_os("CARGO_MANIFEST_DIR").map(|folder| Path::new(&folder).join("models").join(name));
    let found = [Some(&below_root), below_crate.as_ref()].into_iter().flatten().find(|path| path.exists());
    found.cloned().ok_or_else(|| {
        anyhow::anyhow!(
            "{} is not there: run from the root of the repository, or name a model with --model",
            below_root.display()
        )
    })
}
