//! Where the data sets lie: `HENGE_DATA`, else what Bazel laid beside the program.

use std::path::{Path, PathBuf};

use crate::DatasetError;

/// The command that fetches every data set into a folder.
pub const FETCH_COMMAND: &str = "third_party/datasets/fetch.sh DIR";

/// Folder, relative to the working directory, in which Bazel lays the data sets of a target.
const BAZEL_FOLDER: &str = "external";

/// Any of these below a folder makes it one with data sets.
const FOLDERS: [&str; 4] = ["mnist", "fashion_mnist", "photos", "dog_breeds"];

/// The folder that holds `mnist/`, `fashion_mnist/`, `photos/` and the models: the environment variable `HENGE_DATA` if it is set, else
/// `external` in the working directory, where `bazel run` and `bazel test` lay them.
///
/// # Errors
/// [`DatasetError::NoRoot`], which says what to do.
pub fn data_root() -> Result<PathBuf, DatasetError> {
    let named = std::env::var_os("HENGE_DATA").map(PathBuf::from);
    data_root_from(named.as_deref(), Path::new(""))
}

/// As [`data_root`], with the value of `HENGE_DATA` and the working directory given.
///
/// # Errors
/// [`DatasetError::NoRoot`]: the named folder is none, or none is named and `external` holds no data set.
pub fn data_root_from(named: Option<&Path>, current: &Path) -> Result<PathBuf, DatasetError> {
    let found = match named {
        Some(folder) if folder.is_dir() => return Ok(folder.to_path_buf()),
        Some(folder) => format!("HENGE_DATA={} is not a folder", folder.display()),
        None => {
            let folder = current.join(BAZEL_FOLDER);
            if FOLDERS.iter().any(|name| folder.join(name).is_dir()) {
                return Ok(folder);
            }
            "HENGE_DATA is not set and Bazel did not provide them".to_owned()
        }
    };
    Err(DatasetError::NoRoot { found, command: FETCH_COMMAND })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_folder_wins() {
        let (named, current) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir_all(current.path().join("external/mnist")).unwrap();
        let root = data_root_from(Some(named.path()), current.path()).unwrap();
        assert_eq!(root, named.path());
        let root = data_root_from(None, current.path()).unwrap();
        assert_eq!(root, current.path().join("external"));
    }

    #[test]
    fn without_data_the_error_names_the_command() {
        let current = tempfile::tempdir().unwrap();
        let text = data_root_from(None, current.path()).unwrap_err().to_string();
        assert!(text.contains(FETCH_COMMAND) && text.contains("HENGE_DATA"), "{text}");
        let absent = current.path().join("absent");
        let text = data_root_from(Some(&absent), current.path()).unwrap_err().to_string();
        assert!(text.contains("absent is not a folder"), "{text}");
    }
}
