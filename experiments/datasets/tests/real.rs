//! The real files, when they are there: counts, first labels, sums and checksums.

use datasets::{Dataset, Part, data_root};
use sha2::{Digest, Sha256};

/// First labels, sum of all pixels, and SHA-256 of all pixels followed by all labels.
type Expected = ([u8; 5], u64, &'static str);

const EXPECTED: [(Dataset, Part, Expected); 4] = [
    (
        Dataset::Mnist,
        Part::Train,
        ([5, 0, 4, 1, 9], 1_567_298_545, "edc0d1098aa497be14ace79ddd5171e5a3dcf9c4d196c015389203eb3ba1f59b"),
    ),
    (
        Dataset::Mnist,
        Part::Test,
        ([7, 2, 1, 0, 4], 264_923_200, "c3f9adf9c66efb572b1f9326c3a511b45910c7173b97be66ceceeeeaef6b802b"),
    ),
    (
        Dataset::Fashion,
        Part::Train,
        ([9, 0, 0, 3, 0], 3_431_114_169, "16d82e2b505296aa2b78bd5ea0992634f30419a4c97def7c907d154a35ac6157"),
    ),
    (
        Dataset::Fashion,
        Part::Test,
        ([9, 2, 1, 1, 6], 573_469_082, "9f1ec356a747bfe4ebab3cfb722d3694c9ca737e2570f6f90cf31d7b6fd689d4"),
    ),
];

#[test]
fn real_files_are_the_published_ones() {
    let root = match data_root() {
        Ok(root) => root,
        Err(error) => {
            println!("skipped: {error}");
            return;
        }
    };
    for (dataset, part, (labels, sum, digest)) in EXPECTED {
        if !root.join(dataset.folder()).is_dir() {
            println!("skipped: no {} in {}", dataset.folder(), root.display());
            continue;
        }
        let images = dataset.load(&root, part).unwrap();
        assert_eq!(images.len(), part.image_count(), "{dataset:?} {part:?}");
        assert_eq!(images.labels()[..5], labels, "{dataset:?} {part:?}");
        let found: u64 = images.pixels().iter().map(|p| u64::from(*p)).sum();
        assert_eq!(found, sum, "{dataset:?} {part:?}");
        let mut hasher = Sha256::new();
        hasher.update(images.pixels());
        hasher.update(images.labels());
        let found: String = hasher.finalize().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(found, digest, "{dataset:?} {part:?}");
    }
}
