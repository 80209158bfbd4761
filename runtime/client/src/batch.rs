//! Numbers of a batch: a row per element, one number per image, as slots want them.

/// A batch of images, or of what a model says of them. Printed, it shows its size and nothing else.
#[derive(Clone, PartialEq)]
pub struct Images {
    images: usize,
    values: Vec<f64>,
}

/// Numbers that are no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{numbers} numbers are no whole images of {elements}")]
pub struct ImagesError {
    /// How many numbers.
    pub numbers: usize,
    /// Numbers of one image.
    pub elements: usize,
}

impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (images, elements) = (self.images, self.elements());
        f.debug_struct("Images").field("images", &images).field("elements", &elements).finish_non_exhaustive()
    }
}

impl Images {
    /// Image after image, `elements` numbers each.
    ///
    /// # Errors
    /// [`ImagesError`] for numbers that do not make whole images, or none.
    pub fn from_image_major(numbers: &[f64], elements: usize) -> Result<Self, ImagesError> {
        let refuse = ImagesError { numbers: numbers.len(), elements };
        if elements == 0 || numbers.is_empty() || !numbers.len().is_multiple_of(elements) {
            return Err(refuse);
        }
        let images = numbers.len() / elements;
        let mut values = vec![0.0; numbers.len()];
        for (image, numbers) in numbers.chunks(elements).enumerate() {
            let column = values.iter_mut().skip(image).step_by(images);
            column.zip(numbers).for_each(|(to, from)| *to = *from);
        }
        Ok(Self { images, values })
    }

    /// `number(image, element)` for `images` images of `elements` numbers.
    ///
    /// # Errors
    /// [`ImagesError`] for none.
    pub fn from_fn(images: usize, elements: usize, number: impl Fn(usize, usize) -> f64) -> Result<Self, ImagesError> {
        if images == 0 || elements == 0 {
            return Err(ImagesError { numbers: 0, elements });
        }
        let mut values = Vec::with_capacity(images * elements);
        for element in 0..elements {
            values.extend((0..images).map(|image| number(image, element)));
        }
        Ok(Self { images, values })
    }

    /// Row after row, `images` numbers each.
    pub(crate) fn from_rows(values: Vec<f64>, images: usize) -> Self {
        Self { images, values }
    }

    /// Image after image.
    pub fn to_image_major(&self) -> Vec<f64> {
        (0..self.images).flat_map(|image| self.values.iter().skip(image).step_by(self.images).copied()).collect()
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Numbers of one image.
    pub fn elements(&self) -> usize {
        self.values.len() / self.images.max(1)
    }

    /// One element of every image.
    pub fn row(&self, element: usize) -> Option<&[f64]> {
        self.values.chunks(self.images.max(1)).nth(element)
    }

    /// All rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks(self.images.max(1))
    }

    /// Of each image the positions of its `k` largest numbers, the largest first: what is safe to pass on where the numbers themselves are not, since
    /// their last digits carry noise that depends on the key \[LM21\].
    pub fn top(&self, k: usize) -> Vec<Vec<usize>> {
        let elements = self.elements();
        let of_image = |numbers: &[f64]| {
            let mut order: Vec<usize> = (0..numbers.len()).collect();
            let number = |i: &usize| numbers.get(*i).copied().unwrap_or(f64::NEG_INFINITY);
            order.sort_by(|a, b| number(b).total_cmp(&number(a)));
            order.truncate(k);
            order
        };
        self.to_image_major().chunks(elements.max(1)).map(of_image).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_one_number_per_image() {
        let images = Images::from_image_major(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3).unwrap();
        assert_eq!((images.images(), images.elements()), (2, 3));
        assert_eq!(images.row(1), Some(&[2.0, 5.0][..]));
        assert_eq!(images.row(3), None);
        assert_eq!(images.to_image_major(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        for (numbers, elements) in [(vec![], 3), (vec![1.0], 0), (vec![1.0; 4], 3)] {
            assert!(Images::from_image_major(&numbers, elements).is_err());
        }
    }

    #[test]
    fn the_largest_come_first() {
        let images = Images::from_image_major(&[0.1, 0.9, 0.5, 3.0, -1.0, 2.0], 3).unwrap();
        assert_eq!(images.top(2), [[1, 2], [0, 2]]);
        assert_eq!(images.top(9), [vec![1, 2, 0], vec![0, 2, 1]]);
    }
}
