//! Encrypted logits against clear ones, and the gate.
//!
//! Layout: logits are row-major, one row of `classes` numbers per image. A prediction is the index of the largest
//! logit, the first of equals. The logit range is the largest clear logit minus the smallest, over all images.

use serde::Serialize;

/// Least share of images whose encrypted label must equal the clear one.
pub(crate) const LEAST_AGREEMENT: f64 = 0.9995;

/// Largest allowed difference of a logit, as a share of the logit range.
pub(crate) const LARGEST_ERROR_SHARE: f64 = 1e-2;

/// Logits of many images.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Logits {
    classes: usize,
    data: Vec<f64>,
}

impl Logits {
    /// `data` is row-major; refused unless it is whole rows of at least one class.
    pub(crate) fn new(classes: usize, data: Vec<f64>) -> anyhow::Result<Logits> {
        anyhow::ensure!(
            classes > 0 && data.len().is_multiple_of(classes),
            "{} logits are not rows of {classes} classes",
            data.len()
        );
        Ok(Logits { classes, data })
    }

    pub(crate) fn classes(&self) -> usize {
        self.classes
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len() / self.classes
    }

    pub(crate) fn data(&self) -> &[f64] {
        &self.data
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.data.chunks_exact(self.classes)
    }
}

/// Index of the largest number, the first of equals; 0 when none is a number.
pub(crate) fn prediction(row: &[f64]) -> usize {
    row.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0
}

/// An image that got one label in the clear and another one encrypted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Disagreement {
    /// Index in the test set.
    pub(crate) image: usize,
    pub(crate) label: u8,
    pub(crate) clear: usize,
    pub(crate) encrypted: usize,
    /// By how much the clear label's logit leads the other one, in the clear.
    pub(crate) clear_margin: f64,
    /// By how much the encrypted label's logit leads the other one, encrypted.
    pub(crate) encrypted_margin: f64,
}

/// What the gate looks at, and what the report shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) images: usize,
    pub(crate) accuracy_clear: f64,
    pub(crate) accuracy_encrypted: f64,
    pub(crate) agreement: f64,
    /// Infinite when an encrypted logit is no number.
    pub(crate) largest_error: f64,
    pub(crate) root_mean_square_error: f64,
    pub(crate) range: f64,
    pub(crate) disagreements: Vec<Disagreement>,
    /// `confusion[label][encrypted prediction]`.
    pub(crate) confusion: Vec<Vec<u32>>,
}

impl Comparison {
    /// Compares image by image.
    pub(crate) fn new(labels: &[u8], clear: &Logits, encrypted: &Logits) -> anyhow::Result<Comparison> {
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
        let (mut right_clear, mut right_encrypted) = (0_usize, 0_usize);
        for (image, ((&label, clear), encrypted)) in labels.iter().zip(clear.rows()).zip(encrypted.rows()).enumerate() {
            let (a, b) = (prediction(clear), prediction(encrypted));
            right_clear += usize::from(a == usize::from(label));
            right_encrypted += usize::from(b == usize::from(label));
            if let Some(count) = confusion.get_mut(usize::from(label)).and_then(|row| row.get_mut(b)) {
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
        let share = |count: usize| count as f64 / images as f64;
        Ok(Comparison {
            images,
            accuracy_clear: share(right_clear),
            accuracy_encrypted: share(right_encrypted),
            agreement: share(images - disagreements.len()),
            largest_error,
            root_mean_square_error: (square / clear.data().len() as f64).sqrt(),
            range: high - low,
            disagreements,
            confusion,
        })
    }

    /// What the gate refuses, one sentence each; nothing when it passes.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.agreement < LEAST_AGREEMENT {
            found.push(format!(
                "labels agree on {:.4} % of the images, at least {:.4} % required",
                100.0 * self.agreement,
                100.0 * LEAST_AGREEMENT
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
        let same = Comparison::new(&[0, 1], &clear, &clear).unwrap();
        assert_eq!((same.accuracy_clear, same.accuracy_encrypted, same.agreement), (1.0, 1.0, 1.0));
        assert_eq!((same.largest_error, same.range), (0.0, 8.0));
        assert_eq!(same.confusion, [[1, 0], [0, 1]]);
        assert!(same.refusals().is_empty());
    }

    #[test]
    fn a_changed_label_is_listed_with_its_margins() {
        let clear = logits(&[1.0, 0.75, 0.0, 8.0]);
        let encrypted = logits(&[0.5, 1.0, 0.0, 8.0]);
        let found = Comparison::new(&[0, 1], &clear, &encrypted).unwrap();
        let expected =
            Disagreement { image: 0, label: 0, clear: 0, encrypted: 1, clear_margin: 0.25, encrypted_margin: 0.5 };
        assert_eq!(found.disagreements, [expected]);
        assert_eq!((found.agreement, found.accuracy_clear, found.accuracy_encrypted), (0.5, 1.0, 0.5));
        assert_eq!(found.confusion, [[0, 1], [0, 1]]);
        assert_eq!(found.refusals().len(), 2);
    }

    #[test]
    fn the_gate_is_exact() {
        let clear = logits(&[10.0, 0.0]);
        let at = |error: f64| {
            let encrypted = logits(&[10.0 - error, 0.0]);
            Comparison::new(&[0], &clear, &encrypted).unwrap().refusals().len()
        };
        assert_eq!((at(0.0999), at(0.1001)), (0, 1));
        assert_eq!(at(f64::NAN), 2, "a logit that is no number fails on both counts");

        // 10,000 images: five changed labels are allowed, six are not.
        let many = |changed: usize| {
            let clear = Logits::new(2, [0.01, 0.0].repeat(10_000)).unwrap();
            let mut data = clear.data().to_vec();
            data[..2 * changed].chunks_exact_mut(2).for_each(|row| row.swap(0, 1));
            let encrypted = Logits::new(2, data).unwrap();
            let found = Comparison::new(&vec![0; 10_000], &clear, &encrypted).unwrap();
            found.refusals().iter().filter(|r| r.contains("labels agree")).count()
        };
        assert_eq!((many(5), many(6)), (0, 1));
    }

    #[test]
    fn mismatched_counts_are_refused() {
        assert!(Logits::new(3, vec![0.0; 4]).is_err());
        assert!(Comparison::new(&[0, 1], &logits(&[0.0, 1.0]), &logits(&[0.0, 1.0])).is_err());
    }
}
