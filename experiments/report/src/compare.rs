//! Encrypted logits against clear ones, and the gate.
//!
//! Layout: logits are row-major, one row of `classes` numbers per image. A prediction is the index of the largest
//! logit, the first of equals. The logit range is the largest clear logit minus the smallest, over all images.

use serde::Serialize;

/// Largest allowed difference of a logit, as a share of the logit range.
pub const LARGEST_ERROR_SHARE: f64 = 1e-2;

/// Logits of many images.
#[derive(Clone, Debug, PartialEq)]
pub struct Logits {
    classes: usize,
    data: Vec<f64>,
}

impl Logits {
    /// `data` is row-major.
    ///
    /// # Errors
    /// Data that are not whole rows of at least one class.
    pub fn new(classes: usize, data: Vec<f64>) -> anyhow::Result<Logits> {
        anyhow::ensure!(
            classes > 0 && data.len().is_multiple_of(classes),
            "{} logits are not rows of {classes} classes",
            data.len()
        );
        Ok(Logits { classes, data })
    }

    /// Numbers of a row.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.data.len() / self.classes
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// All of them, row after row.
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// Row after row.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.data.chunks_exact(self.classes)
    }
}

/// Index of the largest number, the first of equals; 0 when none is a number.
pub fn prediction(row: &[f64]) -> usize {
    row.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0
}

/// What had to hold, and whether it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// Share of the images whose labels had to agree.
    pub least_agreement: f64,
    /// Largest difference of a logit that was allowed, as a share of the range.
    pub largest_error_share: f64,
    /// Whether both held.
    pub passed: bool,
    /// One sentence for each that did not.
    pub refusals: Vec<String>,
}

/// An image that got one label in the clear and another one encrypted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disagreement {
    /// Its index.
    pub image: usize,
    /// What it shows, where somebody says.
    pub label: Option<usize>,
    /// Label in the clear.
    pub clear: usize,
    /// Label encrypted.
    pub encrypted: usize,
    /// By how much the clear label's logit leads the other one, in the clear.
    pub clear_margin: f64,
    /// By how much the encrypted label's logit leads the other one, encrypted.
    pub encrypted_margin: f64,
}

/// What the gate looks at, and what the report shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Images compared.
    pub images: usize,
    /// Images of which somebody says what they show.
    pub labelled: usize,
    /// Of those, the share that is right in the clear; 0 of none.
    pub accuracy_clear: f64,
    /// Of those, the share that is right encrypted.
    pub accuracy_encrypted: f64,
    /// Share of all images with the same label both ways.
    pub agreement: f64,
    /// Infinite when an encrypted logit is no number.
    pub largest_error: f64,
    /// Over all logits.
    pub root_mean_square_error: f64,
    /// Largest clear logit minus the smallest.
    pub range: f64,
    /// Every image whose label differs.
    pub disagreements: Vec<Disagreement>,
    /// `confusion[label][encrypted prediction]`, of the images whose label is known.
    pub confusion: Vec<Vec<u32>>,
}

impl Comparison {
    /// Compares image by image.
    ///
    /// # Errors
    /// Labels and rows that are not as many.
    pub fn new(labels: &[Option<usize>], clear: &Logits, encrypted: &Logits) -> anyhow::Result<Comparison> {
        anyhow::ensure!(
            !labels.is_empty()
                && labels.len() == clear.len()
                && labels.len() == encrypted.len()
                && clear.classes() == encrypted.classes(),
            "{} labels, {} clear and {} encrypted rows of logits",
            labels.len(),
            clear.len(),
            encrypted.len()
        );
        let classes = clear.classes();
        let mut confusion = vec![vec![0_u32; classes]; classes];
        let mut disagreements = Vec::new();
        let (mut labelled, mut right_clear, mut right_encrypted) = (0_usize, 0_usize, 0_usize);
        for (image, ((&label, clear), encrypted)) in labels.iter().zip(clear.rows()).zip(encrypted.rows()).enumerate() {
            let (a, b) = (prediction(clear), prediction(encrypted));
            labelled += usize::from(label.is_some());
            right_clear += usize::from(label == Some(a));
            right_encrypted += usize::from(label == Some(b));
            if let Some(count) = label.and_then(|label| confusion.get_mut(label)?.get_mut(b)) {
                *count += 1;
            }
            if a != b {
                disagreements.push(Disagreement {
                    image,
                    label,
                    clear: a,
                    encrypted: b,
                    clear_margin: clear[a] - clear[b],
                    encrypted_margin: encrypted[b] - encrypted[a],
                });
            }
        }
        let (largest_error, square) = clear.data().iter().zip(encrypted.data()).map(|(a, b)| (a - b).abs()).fold(
            (0.0_f64, 0.0_f64),
            |(largest, square), error| {
                if error.is_finite() {
                    (largest.max(error), square + error * error)
                } else {
                    (f64::INFINITY, f64::INFINITY)
                }
            },
        );
        let (low, high) =
            clear.data().iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
        let images = labels.len();
        let share = |count: usize, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
        Ok(Comparison {
            images,
            labelled,
            accuracy_clear: share(right_clear, labelled),
            accuracy_encrypted: share(right_encrypted, labelled),
            agreement: share(images - disagreements.len(), images),
            largest_error,
            root_mean_square_error: (square / clear.data().len() as f64).sqrt(),
            range: high - low,
            disagreements,
            confusion,
        })
    }

    /// The gate: labels must agree on `least_agreement` of the images, and no logit be off by more than [`LARGEST_ERROR_SHARE`].
    pub fn gate(&self, least_agreement: f64) -> Gate {
        let refusals = self.refusals(least_agreement);
        Gate { least_agreement, largest_error_share: LARGEST_ERROR_SHARE, passed: refusals.is_empty(), refusals }
    }

    fn refusals(&self, least_agreement: f64) -> Vec<String> {
        let mut found = Vec::new();
        if self.agreement < least_agreement {
            found.push(format!(
                "labels agree on {:.4} % of the images, at least {:.4} % required",
                100.0 * self.agreement,
                100.0 * least_agreement
            ));
        }
        let allowed = LARGEST_ERROR_SHARE * self.range;
        // An error that is no number was made infinite; no range, however large, allows that.
        if self.largest_error > allowed || self.largest_error.is_infinite() {
            found.push(format!(
                "a logit differs by {:.3e}, at most {allowed:.3e} allowed ({LARGEST_ERROR_SHARE} of the range {:.3})",
                self.largest_error, self.range
            ));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logits(data: &[f64]) -> Logits {
        Logits::new(2, data.to_vec()).unwrap()
    }

    #[test]
    fn equal_logits_pass() {
        let clear = logits(&[1.0, 0.0, -3.0, 5.0]);
        let same = Comparison::new(&[Some(0), None], &clear, &clear).unwrap();
        assert_eq!(same.labelled, 1);
        assert_eq!((same.accuracy_clear, same.accuracy_encrypted, same.agreement), (1.0, 1.0, 1.0));
        assert_eq!((same.largest_error, same.range), (0.0, 8.0));
        assert_eq!(same.confusion, [[1, 0], [0, 0]]);
        assert!(same.gate(1.0).passed);
    }

    #[test]
    fn a_changed_label_is_listed_with_its_margins() {
        let clear = logits(&[1.0, 0.75, 0.0, 8.0]);
        let encrypted = logits(&[0.5, 1.0, 0.0, 8.0]);
        let found = Comparison::new(&[Some(0), Some(1)], &clear, &encrypted).unwrap();
        let expected = Disagreement {
            image: 0,
            label: Some(0),
            clear: 0,
            encrypted: 1,
            clear_margin: 0.25,
            encrypted_margin: 0.5,
        };
        assert_eq!(found.disagreements, [expected]);
        assert_eq!((found.agreement, found.accuracy_clear, found.accuracy_encrypted), (0.5, 1.0, 0.5));
        assert_eq!(found.confusion, [[0, 1], [0, 1]]);
        assert_eq!((found.refusals(1.0).len(), found.refusals(0.5).len()), (2, 1));
    }

    #[test]
    fn the_gate_is_exact() {
        let clear = logits(&[10.0, 0.0]);
        let at = |error: f64| {
            let encrypted = logits(&[10.0 - error, 0.0]);
            Comparison::new(&[Some(0)], &clear, &encrypted).unwrap().refusals(1.0).len()
        };
        assert_eq!((at(0.0999), at(0.1001)), (0, 1));
        assert_eq!(at(f64::NAN), 2, "a logit that is no number fails on both counts");

        // 10,000 images: five changed labels are allowed, six are not.
        let many = |changed: usize| {
            let clear = Logits::new(2, [0.01, 0.0].repeat(10_000)).unwrap();
            let mut data = clear.data().to_vec();
            data[..2 * changed].chunks_exact_mut(2).for_each(|row| row.swap(0, 1));
            let encrypted = Logits::new(2, data).unwrap();
            let found = Comparison::new(&vec![Some(0); 10_000], &clear, &encrypted).unwrap();
            found.refusals(0.9995).iter().filter(|r| r.contains("labels agree")).count()
        };
        assert_eq!((many(5), many(6)), (0, 1));
    }

    #[test]
    fn mismatched_counts_are_refused() {
        assert!(Logits::new(3, vec![0.0; 4]).is_err());
        assert!(Comparison::new(&[Some(0), Some(1)], &logits(&[0.0, 1.0]), &logits(&[0.0, 1.0])).is_err());
    }
}
