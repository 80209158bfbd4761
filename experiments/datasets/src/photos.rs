//! Photos as bytes, and the trained models that look at them: what `third_party/models/fetch.sh` leaves.

use std::path::{Path, PathBuf};

use crate::{DatasetError, Idx};

/// The command that fetches photos and models into a folder.
pub const FETCH_MODELS: &str = "third_party/models/fetch.sh DIR";

/// Channels of a photo: red, green, blue.
const CHANNELS: u32 = 3;

/// A set of photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhotoSet {
    /// 20 photos with their ImageNet class.
    Labelled,
    /// 100 photos without.
    Unlabelled,
}

/// How photos were brought to one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preparation {
    /// The central 224 x 224 of the photo scaled to a shorter side of 256.
    Crop224,
    /// The whole photo, 160 x 160.
    Whole160,
}

impl PhotoSet {
    /// Number of photos in it.
    pub fn photo_count(self) -> usize {
        match self {
            PhotoSet::Labelled => 20,
            PhotoSet::Unlabelled => 100,
        }
    }

    fn name(self) -> &'static str {
        match self {
            PhotoSet::Labelled => "labelled",
            PhotoSet::Unlabelled => "unlabelled",
        }
    }
}

impl Preparation {
    /// Rows and columns.
    pub fn side(self) -> usize {
        match self {
            Preparation::Crop224 => 224,
            Preparation::Whole160 => 160,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Preparation::Crop224 => "crop224",
            Preparation::Whole160 => "whole160",
        }
    }
}

/// Photos of one size: channel by channel, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photos {
    side: usize,
    pixels: Vec<u8>,
    classes: Option<Vec<u16>>,
}

impl Photos {
    /// Loads a set from below `root` (see [`crate::data_root`]).
    ///
    /// # Errors
    /// [`DatasetError`]: a file is missing or is not what it should be.
    pub fn load(root: &Path, set: PhotoSet, preparation: Preparation) -> Result<Photos, DatasetError> {
        let count = u32::try_from(set.photo_count()).unwrap_or(u32::MAX);
        let side = u32::try_from(preparation.side()).unwrap_or(u32::MAX);
        let images = format!("photos/{}-{}-idx4-ubyte", set.name(), preparation.name());
        let pixels = read(root, &images, &[count, CHANNELS, side, side])?;
        let classes = match set {
            PhotoSet::Unlabelled => None,
            PhotoSet::Labelled => {
                let pairs = read(root, "photos/labelled-classes-idx2-ubyte", &[count, 2])?;
                Some(pairs.as_chunks::<2>().0.iter().copied().map(u16::from_be_bytes).collect())
            }
        };
        Ok(Photos { side: preparation.side(), pixels, classes })
    }

    /// Number of photos.
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Rows and columns.
    pub fn side(&self) -> usize {
        self.side
    }

    /// ImageNet classes, in order; none for photos without.
    pub fn classes(&self) -> Option<&[u16]> {
        self.classes.as_deref()
    }

    /// The photos one by one, each `3 * side * side` bytes.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, u8> {
        self.pixels.chunks_exact(CHANNELS as usize * self.side * self.side)
    }
}

/// The model of that name, `mobilenet_v2_features`, `dog_breeds` or `efficientnet_lite0`, below `root`.
///
/// # Errors
/// When it is not there.
pub fn model_path(root: &Path, name: &str) -> Result<PathBuf, DatasetError> {
    there(root.join(name).join("model.onnx"))
}

/// Class names, one a line: `imagenet` or `breeds`.
///
/// # Errors
/// When the file is not there or cannot be read.
pub fn class_names(root: &Path, list: &str) -> Result<Vec<String>, DatasetError> {
    let path = there(root.join("photos").join(format!("{list}.txt")))?;
    let text = std::fs::read_to_string(&path).map_err(|source| DatasetError::Read { path, source })?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn there(path: PathBuf) -> Result<PathBuf, DatasetError> {
    if path.exists() { Ok(path) } else { Err(DatasetError::Missing { path, command: FETCH_MODELS }) }
}

fn read(root: &Path, name: &str, expected: &[u32]) -> Result<Vec<u8>, DatasetError> {
    let path = there(root.join(name))?;
    let idx = Idx::read(&path, expected.len())?;
    if idx.dimensions() != expected {
        let found = idx.dimensions().to_vec();
        return Err(DatasetError::Dimensions { path, expected: expected.to_vec(), found });
    }
    Ok(idx.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_differs_is_named() {
        let root = tempfile::tempdir().unwrap();
        let load = || Photos::load(root.path(), PhotoSet::Labelled, Preparation::Whole160).unwrap_err();
        assert!(load().to_string().contains(FETCH_MODELS), "{}", load());
        assert!(model_path(root.path(), "dog_breeds").is_err() && class_names(root.path(), "breeds").is_err());

        std::fs::create_dir(root.path().join("photos")).unwrap();
        let path = root.path().join("photos/labelled-whole160-idx4-ubyte");
        let mut bytes = 0x0804_u32.to_be_bytes().to_vec();
        [20u32, 3, 160, 1].iter().for_each(|d| bytes.extend(d.to_be_bytes()));
        bytes.extend(vec![7; 20 * 3 * 160]);
        std::fs::write(path, bytes).unwrap();
        assert!(matches!(load(), DatasetError::Dimensions { expected, found, .. }
            if expected == [20, 3, 160, 160] && found == [20, 3, 160, 1]));
    }
}
