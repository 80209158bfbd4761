//! Encrypted outputs against clear ones, and the gate.
//!
//! Layout: outputs are row-major, one row of `classes` numbers per image. A prediction is the index of the largest number, the
//! first of equals. The range is the largest clear number minus the smallest, over all images.

use serde::Serialize;

/// Largest allowed difference of an output, as a share of the range.
pub const LARGEST_ERROR_SHARE: f64 = 1e-2;

/// Index of the largest number, the first of equals; 0 when none is a number.
pub fn prediction(row: &[f64]) -> usize {
    row.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0
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
    /// By how much the clear label's output leads the other one, in the clear.
    pub clear_margin: f64,
    /// By how much the encrypted label's output leads the other one, encrypted.
    pub encrypted_margin: f64,
}

/// What the gate looks at.
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
    /// Infinite when an encrypted output is no number.
    pub largest_error: f64,
    /// Over all outputs.
    pub root_mean_square_error: f64,
    /// Largest clear output minus the smallest.
    pub range: f64,
    /// Every image whose label differs.
    pub disagreements: Vec<Disagreement>,
}

impl Comparison {
    /// Compares image by image.
    ///
    /// # Errors
    /// Outputs that are not as many.
    pub fn new(labels: &[Option<usize>], clear: &[f64], encrypted: &[f64]) -> anyhow::Result<Comparison> {
        let images = labels.len();
        let (rows, found) = (clear.len(), encrypted.len());
        anyhow::ensure!(
            images > 0 && rows > 0 && rows.is_multiple_of(images) && rows == found,
            "{images} images, {rows} clear and {found} encrypted outputs"
        );
        let classes = rows / images;
        let mut disagreements = Vec::new();
        let (mut labelled, mut right_clear, mut right_encrypted) = (0_usize, 0_usize, 0_usize);
        let both = clear.chunks(classes).zip(encrypted.chunks(classes));
        for (image, (&label, (clear, encrypted))) in labels.iter().zip(both).enumerate() {
            let (a, b) = (prediction(clear), prediction(encrypted));
            labelled += usize::from(label.is_some());
            right_clear += usize::from(label == Some(a));
            right_encrypted += usize::from(label == Some(b));
            if a != b {
                let (clear_margin, encrypted_margin) = (clear[a] - clear[b], encrypted[b] - encrypted[a]);
                disagreements.push(Disagreement {
                    image,
                    label,
                    clear: a,
                    encrypted: b,
                    clear_margin,
                    encrypted_margin,
                });
            }
        }
        let errors = clear.iter().zip(encrypted).map(|(a, b)| (a - b).abs());
        let errors = errors.map(|error| if error.is_finite() { error } else { f64::INFINITY });
        let (largest_error, square) = errors.fold((0.0_f64, 0.0), |(m, s), error| (m.max(error), s + error * error));
        let ends = clear.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
        let share = |count: usize, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
        Ok(Comparison {
            images,
            labelled,
            accuracy_clear: share(right_clear, labelled),
            accuracy_encrypted: share(right_encrypted, labelled),
            agreement: share(images - disagreements.len(), images),
            largest_error,
            root_mean_square_error: (square / rows as f64).sqrt(),
            range: ends.1 - ends.0,
            disagreements,
        })
    }

    /// What the gate refuses, one sentence each; nothing when it passes. Labels must agree on `least_agreement` of the images.
    pub fn refusals(&self, least_agreement: f64) -> Vec<String> {
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
                "an output differs by {:.3e}, at most {allowed:.3e} allowed ({LARGEST_ERROR_SHARE} of the range {:.3})",
                self.largest_error, self.range
            ));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_outputs_pass() {
        let clear = [1.0, 0.0, -3.0, 5.0];
        let same = Comparison::new(&[Some(0), None], &clear, &clear).unwrap();
        assert_eq!((same.labelled, same.accuracy_clear, same.accuracy_encrypted, same.agreement), (1, 1.0, 1.0, 1.0));
        assert_eq!((same.largest_error, same.range), (0.0, 8.0));
        assert!(same.refusals(1.0).is_empty());
    }

    #[test]
    fn a_changed_label_is_listed_with_its_margins() {
        let found = Comparison::new(&[Some(0), Some(1)], &[1.0, 0.75, 0.0, 8.0], &[0.5, 1.0, 0.0, 8.0]).unwrap();
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
        assert_eq!((found.refusals(1.0).len(), found.refusals(0.5).len()), (2, 1));
    }

    #[test]
    fn the_gate_is_exact() {
        let at = |error: f64| Comparison::new(&[None], &[10.0, 0.0], &[10.0 - error, 0.0]).unwrap().refusals(0.0).len();
        assert_eq!((at(0.0999), at(0.1001), at(f64::NAN)), (0, 1, 1));
        assert!(Comparison::new(&[None], &[1.0], &[1.0, 2.0]).is_err() && Comparison::new(&[], &[], &[]).is_err());
    }
}
