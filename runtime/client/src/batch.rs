//! Numbers of a batch: a row per element, one number per image, as slots want them. A batch that would be too large to hold is made a row at a
//! time ([`Input::Made`]).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

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

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// Fills in the row of an element: one number for each image. The same element always gets the same numbers.
pub type RowMaker = Arc<dyn Fn(usize, &mut [f64]) + Send + Sync>;

/// An input of a model.
#[derive(Clone)]
pub enum Input {
    /// A batch in memory.
    Held(Images),
    /// A batch that is made a row at a time, whenever a row is checked or encrypted, and never held.
    Made {
        /// Number of images.
        images: usize,
        /// Numbers of one image.
        elements: usize,
        /// Makes a row.
        row: RowMaker,
    },
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (images, elements) = (self.images(), self.elements());
        f.debug_struct("Input").field("images", &images).field("elements", &elements).finish_non_exhaustive()
    }
}

impl From<Images> for Input {
    fn from(images: Images) -> Self {
        Self::Held(images)
    }
}

impl Input {
    /// Number of images.
    pub fn images(&self) -> usize {
        match self {
            Self::Held(images) => images.images(),
            Self::Made { images, .. } => *images,
        }
    }

    /// Numbers of one image.
    pub fn elements(&self) -> usize {
        match self {
            Self::Held(images) => images.elements(),
            Self::Made { elements, .. } => *elements,
        }
    }

    /// One element of every image.
    pub fn row(&self, element: usize) -> Option<Cow<'_, [f64]>> {
        match self {
            Self::Held(images) => images.row(element).map(Cow::Borrowed),
            Self::Made { images, elements, row } => (element < *elements).then(|| {
                let mut numbers = vec![0.0; *images];
                row(element, &mut numbers);
                Cow::Owned(numbers)
            }),
        }
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
    fn a_batch_that_is_made_has_the_rows_of_one_that_is_held() {
        let number = |image: usize, element: usize| (10 * element + image) as f64;
        let held = Input::from(Images::from_fn(3, 2, number).unwrap());
        let row: RowMaker = Arc::new(move |element, row: &mut [f64]| {
            row.iter_mut().enumerate().for_each(|(image, x)| *x = number(image, element));
        });
        let made = Input::Made { images: 3, elements: 2, row };
        assert_eq!((made.images(), made.elements()), (held.images(), held.elements()));
        for element in 0..3 {
            assert_eq!(made.row(element), held.row(element));
        }
        assert_eq!(made.row(1).unwrap()[..], [10.0, 11.0, 12.0]);
    }

    #[test]
    fn the_largest_come_first() {
        let images = Images::from_image_major(&[0.1, 0.9, 0.5, 3.0, -1.0, 2.0], 3).unwrap();
        assert_eq!(images.top(2), [[1, 2], [0, 2]]);
        assert_eq!(images.top(9), [vec![1, 2, 0], vec![0, 2, 1]]);
    }
}
