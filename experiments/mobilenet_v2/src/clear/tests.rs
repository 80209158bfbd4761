//! Trained networks on real photos, when they are there, and against another engine, when it is there.

use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::args::{Network, Set};

fn root() -> Option<PathBuf> {
    match datasets::data_root() {
        Ok(root) if root.join("photos").is_dir() => Some(root),
        Ok(root) => {
            println!("skipped: no photos in {} ({})", root.display(), datasets::FETCH_MODELS);
            None
        }
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

#[test]
fn efficientnet_lite0_is_right_about_real_photos() {
    let Some(root) = root() else { return };
    let model = Model::trained(&root, Network::EfficientnetLite0, Set::Labelled, None).unwrap();
    let clear = run(&model).unwrap();
    println!("{} of {} right, {} among five, {:.1} s", clear.top_1, clear.labelled, clear.top_5, clear.seconds);
    assert_eq!((clear.labelled, clear.top_1, clear.top_5), (20, 18, 19));
}

#[test]
fn the_dog_breeds_network_knows_the_only_dog_of_its_breeds() {
    let Some(root) = root() else { return };
    let model = Model::trained(&root, Network::DogBreeds, Set::Labelled, Some(1)).unwrap();
    let clear = run(&model).unwrap();
    // The first photo is a bull mastiff.
    assert_eq!((clear.labelled, clear.top_1), (1, 1));
    assert_eq!(model.names.unwrap()[clear.predictions[0].0], "bull mastiff");
    assert!(clear.predictions[0].1 > 5.0, "{:?}", clear.predictions);
}

/// Runs an ONNX file on a file of f32 numbers and prints the outputs.
const ORACLE: &str = "
import sys, numpy, onnxruntime
x = numpy.fromfile(sys.argv[2], '<f4').reshape([int(n) for n in sys.argv[4].split(',')])
session = onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])
session.run(None, {'image': x})[0].astype('<f4').tofile(sys.argv[3])
";

#[test]
fn onnxruntime_says_the_same() {
    let Some(root) = root() else { return };
    let python = std::env::var("HENGE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python).args(["-c", "import onnxruntime, numpy"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no onnxruntime (HENGE_PYTHON names another)");
        return;
    }
    for network in [Network::DogBreeds, Network::EfficientnetLite0, Network::MobilenetV2Features] {
        let model = Model::trained(&root, network, Set::Labelled, Some(2)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let [input, output] = ["input", "output"].map(|name| folder.path().join(name));
        let bytes: Vec<u8> = model.images.data().iter().flat_map(|&x| (x as f32).to_le_bytes()).collect();
        std::fs::write(&input, bytes).unwrap();
        let dims: Vec<String> = model.images.dims().iter().map(usize::to_string).collect();
        let ran = Command::new(&python)
            .args(["-c", ORACLE])
            .arg(datasets::model_path(&root, &model.name).unwrap())
            .args([&input, &output])
            .arg(dims.join(","))
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let bytes = std::fs::read(&output).unwrap();
        let expected: Vec<f64> = bytes.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect();
        let clear = run(&model).unwrap();
        assert_eq!(clear.outputs.len(), expected.len());
        let range = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        let error = clear.outputs.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!("{}: largest difference {error:.1e} on outputs up to {range:.1}", model.name);
        // It computes in f32.
        assert!(error <= 1e-4 * range, "{}: {error} on {range}", model.name);
    }
}

#[test]
fn ranks_the_first_of_equals_first() {
    assert_eq!(ranking(&[1.0, 3.0, 3.0, -1.0]), [1, 2, 0, 3]);
}
