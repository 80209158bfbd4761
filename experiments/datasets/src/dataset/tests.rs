use super::*;

/// Writes a test part of `images` images whose pixels count up, with the given labels.
fn write(root: &Path, images: u32, labels: &[u8]) {
    let folder = root.join("mnist");
    std::fs::create_dir_all(&folder).unwrap();
    let mut bytes = 0x0803_u32.to_be_bytes().to_vec();
    [images, 28, 28].iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend((0..images * 784).map(|i| i as u8));
    std::fs::write(folder.join("t10k-images-idx3-ubyte"), bytes).unwrap();
    let mut bytes = 0x0801_u32.to_be_bytes().to_vec();
    bytes.extend((labels.len() as u32).to_be_bytes());
    bytes.extend(labels);
    std::fs::write(folder.join("t10k-labels-idx1-ubyte"), bytes).unwrap();
}

#[test]
fn images_and_labels_stay_together() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), 3, &[7, 2, 1]);
    let images = Dataset::Mnist.load_counted(root.path(), Part::Test, 3).unwrap();
    assert_eq!((images.len(), images.rows(), images.columns()), (3, 28, 28));
    assert_eq!(images.labels(), [7, 2, 1]);
    assert_eq!(images.image(2).unwrap()[0], (2 * 784 % 256) as u8);
    assert_eq!(images.image(3), None);
    let first = images.take(2);
    assert_eq!((first.len(), first.iter().count(), first.pixels().len()), (2, 2, 2 * 784));
}

#[test]
fn what_differs_from_the_data_set_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let load = || Dataset::Mnist.load(root.path(), Part::Test).unwrap_err();
    let text = load().to_string();
    assert!(text.contains("t10k-images-idx3-ubyte is not there") && text.contains("fetch.sh"), "{text}");

    write(root.path(), 2, &[1, 2]);
    assert!(matches!(load(), DatasetError::Dimensions { expected, found, .. }
        if expected == [10_000, 28, 28] && found == [2, 28, 28]));

    write(root.path(), 2, &[1, 2, 3]);
    let error = Dataset::Mnist.load_counted(root.path(), Part::Test, 2).unwrap_err();
    assert!(matches!(error, DatasetError::Dimensions { expected, found, .. }
        if expected == [2] && found == [3]));

    write(root.path(), 2, &[1, 10]);
    let error = Dataset::Mnist.load_counted(root.path(), Part::Test, 2).unwrap_err();
    assert!(matches!(error, DatasetError::Label { image: 1, expected: 10, found: 10, .. }));
}
