//! The two data sets: names, files, classes.

use std::path::{Path, PathBuf};

use crate::{DatasetError, FETCH_COMMAND, Idx, LabelledImages};

/// Rows and columns of every image.
const SIDE: u32 = 28;

/// An image set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dataset {
    /// Handwritten digits.
    Mnist,
    /// Articles of clothing.
    Fashion,
}

/// Which images of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The 60,000 images for training, and for calibration.
    Train,
    /// The 10,000 images for testing.
    Test,
}

impl Part {
    /// Number of images in it.
    pub fn image_count(self) -> usize {
        match self {
            Part::Train => 60_000,
            Part::Test => 10_000,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Test => "t10k",
        }
    }
}

impl Dataset {
    /// Short lower-case name, as used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Dataset::Mnist => "mnist",
            Dataset::Fashion => "fashion",
        }
    }

    /// The name to print.
    pub fn title(self) -> &'static str {
        match self {
            Dataset::Mnist => "MNIST",
            Dataset::Fashion => "Fashion-MNIST",
        }
    }

    /// What the labels stand for, in order.
    pub fn classes(self) -> [&'static str; 10] {
        match self {
            Dataset::Mnist => ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            Dataset::Fashion => [
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ],
        }
    }

    /// Folder of its files, below the root.
    pub fn folder(self) -> &'static str {
        match self {
            Dataset::Mnist => "mnist",
            Dataset::Fashion => "fashion_mnist",
        }
    }

    /// Loads one part from below `root` (see [`crate::data_root`]): images of 28 x 28 and labels below 10.
    ///
    /// # Errors
    /// [`DatasetError`]: a file is missing or is not what the data set says.
    pub fn load(self, root: &Path, part: Part) -> Result<LabelledImages, DatasetError> {
        self.load_counted(root, part, part.image_count())
    }

    fn load_counted(self, root: &Path, part: Part, count: usize) -> Result<LabelledImages, DatasetError> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let pixels = self.read(root, part, "images-idx3", &[count, SIDE, SIDE])?.1;
        let (path, labels) = self.read(root, part, "labels-idx1", &[count])?;
        let classes = self.classes().len() as u8;
        if let Some((image, &found)) = labels.iter().enumerate().find(|(_, l)| **l >= classes) {
            return Err(DatasetError::Label { path, image, expected: classes, found });
        }
        let (images, side) = (labels.len(), SIDE as usize);
        let found = pixels.len() as u64;
        LabelledImages::new(side, side, pixels, labels).ok_or(DatasetError::Length {
            path,
            expected: (images * side * side) as u64,
            found,
        })
    }

    /// One file of the given dimensions, plain or gzipped, and the path it was read from.
    fn read(self, root: &Path, part: Part, kind: &str, expected: &[u32]) -> Result<(PathBuf, Vec<u8>), DatasetError> {
        let folder = root.join(self.folder());
        let plain = folder.join(format!("{}-{kind}-ubyte", part.prefix()));
        let zipped = folder.join(format!("{}-{kind}-ubyte.gz", part.prefix()));
        let path = if plain.exists() {
            plain
        } else if zipped.exists() {
            zipped
        } else {
            return Err(DatasetError::Missing { path: plain, command: FETCH_COMMAND });
        };
        let idx = Idx::read(&path, expected.len())?;
        if idx.dimensions() != expected {
            return Err(DatasetError::Dimensions {
                path,
                expected: expected.to_vec(),
                found: idx.dimensions().to_vec(),
            });
        }
        Ok((path, idx.into_bytes()))
    }
}

#[cfg(test)]
mod tests;
