use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// An idx file of unsigned bytes.
fn file(magic: u32, dimensions: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = magic.to_be_bytes().to_vec();
    dimensions.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(body);
    bytes
}

fn parse(content: &[u8], rank: usize) -> Result<Idx, DatasetError> {
    Idx::parse(Path::new("x-ubyte"), content, rank)
}

#[test]
fn reads_what_was_written() {
    let body: Vec<u8> = (0..24).collect();
    let idx = parse(&file(0x0803, &[2, 3, 4], &body), 3).unwrap();
    assert_eq!(idx.dimensions(), [2, 3, 4]);
    assert_eq!(idx.into_bytes(), body);
    let idx = parse(&file(0x0801, &[0], &[]), 1).unwrap();
    assert_eq!(idx.dimensions(), [0]);
}

#[test]
fn every_prefix_is_refused() {
    let content = file(0x0803, &[2, 1, 2], &[1, 2, 3, 4]);
    for length in 0..content.len() {
        let error = parse(&content[..length], 3).unwrap_err();
        if length < 16 {
            assert!(matches!(error, DatasetError::ShortHeader { expected: 16, found, .. } if found == length));
        } else {
            let left = length as u64 - 16;
            assert!(matches!(error, DatasetError::Length { expected: 4, found, .. } if found == left));
        }
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    let content = file(0x0801, &[3], &[1, 2, 3, 4]);
    let error = parse(&content, 1).unwrap_err();
    assert!(matches!(error, DatasetError::Length { expected: 3, found: 4, .. }));
}

#[test]
fn another_magic_number_is_refused() {
    // Labels where images are wanted, another element type, little-endian.
    for magic in [0x0801, 0x0D03, 0x0308_0000] {
        let error = parse(&file(magic, &[1, 1, 1], &[1]), 3).unwrap_err();
        assert!(matches!(error, DatasetError::Magic { expected: 0x0803, found, .. } if found == magic));
    }
}

#[test]
fn dimensions_whose_product_overflows_are_refused() {
    let error = parse(&file(0x0803, &[u32::MAX; 3], &[1]), 3).unwrap_err();
    assert!(matches!(error, DatasetError::Length { expected: u64::MAX, found: 1, .. }));
}

#[test]
fn gzipped_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let content = file(0x0801, &[5], &[9, 0, 0, 3, 0]);
    let path = folder.path().join("labels.gz");
    let mut encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::default());
    encoder.write_all(&content).unwrap();
    encoder.finish().unwrap();
    assert_eq!(Idx::read(&path, 1).unwrap(), parse(&content, 1).unwrap());

    let zipped = std::fs::read(&path).unwrap();
    std::fs::write(&path, &zipped[..zipped.len() - 9]).unwrap();
    assert!(matches!(Idx::read(&path, 1).unwrap_err(), DatasetError::Read { .. }));
}

#[test]
fn a_small_file_that_grows_without_end_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.gz");
    let mut encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    (0..65).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap();
    let error = Idx::read(&path, 1).unwrap_err();
    assert!(matches!(error, DatasetError::TooLong { limit: MAX_BYTES, .. }));
}
