//! Images with their labels.

/// Images of one size with one label each: `len` times `rows * columns` bytes, row-major, 0 is background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledImages {
    rows: usize,
    columns: usize,
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl LabelledImages {
    /// `pixels` holds one image after another; `None` unless there are `rows * columns` of them for each label.
    pub fn new(rows: usize, columns: usize, pixels: Vec<u8>, labels: Vec<u8>) -> Option<LabelledImages> {
        let expected = rows.checked_mul(columns)?.checked_mul(labels.len())?;
        (rows > 0 && columns > 0 && pixels.len() == expected).then_some(LabelledImages {
            rows,
            columns,
            pixels,
            labels,
        })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Rows of an image.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of an image.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The labels, in order.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The pixels of all images, one image after another.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The images one by one, each `rows * columns` bytes.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, u8> {
        self.pixels.chunks_exact(self.rows * self.columns)
    }

    /// The pixels of image `index`, if there is one.
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        self.iter().nth(index)
    }

    /// The first `count` images, or all if there are fewer.
    #[must_use]
    pub fn take(mut self, count: usize) -> LabelledImages {
        self.labels.truncate(count);
        self.pixels.truncate(self.labels.len() * self.rows * self.columns);
        self
    }
}
