//! A batch of images: image after image on the outside, element after element inside, as slots want it.

/// A batch whose numbers do not fill whole images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Not a whole number of images.
    #[error("{found} numbers are not a whole number of images of {elements} elements")]
    NotWhole {
        /// Numbers given.
        found: usize,
        /// Elements of one image.
        elements: usize,
    },
    /// A number that is infinite or not a number.
    #[error("element {element} of image {image} is not a finite number")]
    NotFinite {
        /// Which image.
        image: usize,
        /// Which of its elements.
        element: usize,
    },
}

/// Numbers of a batch of images, `[element][image]`: row e holds element e of every image, which is what the slots of
/// ciphertext e hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    elements: usize,
    images: usize,
    values: Vec<f64>,
}

/// Images that are transposed together, so that both sides stay in cache.
const TILE: usize = 16;

impl Batch {
    /// A batch of zeros.
    pub fn zero(elements: usize, images: usize) -> Self {
        Self { elements, images, values: vec![0.0; elements * images] }
    }

    /// From images one after the other, `[image][element]`, as model inputs and `.npy` files lie.
    ///
    /// # Errors
    /// A list that is not a whole number of images, or a number that is not finite.
    pub fn from_images(numbers: &[f64], elements: usize) -> Result<Self, BatchError> {
        if elements == 0 || !numbers.len().is_multiple_of(elements) {
            return Err(BatchError::NotWhole { found: numbers.len(), elements });
        }
        if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
            return Err(BatchError::NotFinite { image: at / elements, element: at % elements });
        }
        let images = numbers.len() / elements;
        let mut batch = Self::zero(elements, images);
        transpose(numbers, elements, &mut batch.values, images);
        Ok(batch)
    }

    /// From rows of slots, one row per element, each of `images` numbers.
    ///
    /// # Errors
    /// A list that is not a whole number of rows.
    pub fn from_rows(values: Vec<f64>, images: usize) -> Result<Self, BatchError> {
        if images == 0 || !values.len().is_multiple_of(images) {
            return Err(BatchError::NotWhole { found: values.len(), elements: images });
        }
        Ok(Self { elements: values.len() / images, images, values })
    }

    /// Image after image, `[image][element]`.
    pub fn to_images(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.values.len()];
        transpose(&self.values, self.images, &mut out, self.elements);
        out
    }

    /// Elements of one image.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.images
    }

    /// All numbers, `[element][image]`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All numbers, to write.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Rows in order: element e of every image.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.images.max(1))
    }

    /// Element `element` of every image, empty past the end.
    pub fn row(&self, element: usize) -> &[f64] {
        let start = element.saturating_mul(self.images);
        self.values.get(start..start.saturating_add(self.images)).unwrap_or_default()
    }
}

/// `out[c][r] = x[r][c]` for rows of `columns`; `rows` is the length of a row of `out`.
fn transpose(x: &[f64], columns: usize, out: &mut [f64], rows: usize) {
    for (tile, block) in x.chunks(TILE * columns.max(1)).enumerate() {
        for (c, out_row) in out.chunks_exact_mut(rows.max(1)).enumerate() {
            let column = block.iter().skip(c).step_by(columns.max(1));
            for (o, v) in out_row.iter_mut().skip(tile * TILE).zip(column) {
                *o = *v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_become_rows_and_come_back() {
        for (images, elements) in [(1, 1), (3, 2), (16, 5), (17, 4), (33, 7)] {
            let numbers: Vec<f64> = (0..images * elements).map(|i| i as f64).collect();
            let batch = Batch::from_images(&numbers, elements).unwrap();
            assert_eq!((batch.images(), batch.elements()), (images, elements));
            for (e, row) in batch.rows().enumerate() {
                let want: Vec<f64> = (0..images).map(|i| (i * elements + e) as f64).collect();
                assert_eq!(row, want);
                assert_eq!(batch.row(e), want);
            }
            assert_eq!(batch.to_images(), numbers);
            assert_eq!(Batch::from_rows(batch.values().to_vec(), images).unwrap(), batch);
            assert!(batch.row(elements).is_empty());
        }
    }

    #[test]
    fn what_is_not_whole_or_not_finite_is_refused() {
        assert_eq!(Batch::from_images(&[0.0; 5], 2), Err(BatchError::NotWhole { found: 5, elements: 2 }));
        assert_eq!(Batch::from_images(&[0.0; 5], 0), Err(BatchError::NotWhole { found: 5, elements: 0 }));
        assert_eq!(Batch::from_rows(vec![0.0; 5], 2), Err(BatchError::NotWhole { found: 5, elements: 2 }));
        let numbers = [0.0, 1.0, 2.0, f64::NAN];
        assert_eq!(Batch::from_images(&numbers, 2), Err(BatchError::NotFinite { image: 1, element: 1 }));
    }
}
