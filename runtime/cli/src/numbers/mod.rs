//! Arrays of numbers in files: `.npy`, `.json` and `.csv`, by the name's ending.

mod npy;
mod text;

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::files;

/// Numbers in row-major order; axis 0 counts images.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) dims: Vec<usize>,
    pub(crate) data: Vec<f64>,
}

/// What an array must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// What it is for, in messages.
    pub(crate) name: &'a str,
    /// Shape of one image.
    pub(crate) shape: &'a [usize],
    /// Most images, and what sets that bound.
    pub(crate) images: (usize, &'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Npy,
    Json,
    Csv,
}

impl Format {
    fn of(path: &Path) -> anyhow::Result<Format> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("npy") => Ok(Format::Npy),
            Some("json") => Ok(Format::Json),
            Some("csv") => Ok(Format::Csv),
            _ => anyhow::bail!("{}: expected a name that ends in .npy, .json or .csv", path.display()),
        }
    }
}

/// Reads a batch of images.
pub(crate) fn read(path: &Path, wanted: Wanted<'_>) -> anyhow::Result<Array> {
    let elements: usize = wanted.shape.iter().product();
    // The longest number that anybody writes has some thirty characters.
    let most_text = (elements as u64).saturating_mul(wanted.images.0 as u64).saturating_mul(32).saturating_add(1 << 20);
    let read = || match Format::of(path)? {
        Format::Npy => npy::read(&mut files::open(path)?, |dims| wanted.check(dims)),
        Format::Json => {
            let array = text::from_json(&files::read(path, most_text)?)?;
            wanted.check(&array.dims)?;
            Ok(array)
        }
        Format::Csv => {
            let array = text::from_csv(&files::read(path, most_text)?)?;
            wanted.check(&array.dims)?;
            Ok(array)
        }
    };
    read().with_context(|| path.display().to_string())
}

impl Wanted<'_> {
    /// The shape with a batch in front, or the same numbers of each image in one row.
    fn check(&self, dims: &[usize]) -> anyhow::Result<()> {
        let elements: usize = self.shape.iter().product();
        let fits = match dims {
            [images, rest @ ..] => *images > 0 && (rest == self.shape || rest == [elements]),
            [] => false,
        };
        let shape: String = self.shape.iter().map(|d| format!(", {d}")).collect();
        anyhow::ensure!(fits, "{:?} takes images of shape [batch{shape}], the file has {dims:?}", self.name);
        let (images, (most, why)) = (dims.first().copied().unwrap_or(0), self.images);
        anyhow::ensure!(images <= most, "a batch of {images} images, {why} {most}");
        Ok(())
    }
}

/// Writes named outputs, each `[image][element]`; a format that holds one array takes one.
pub(crate) fn write(path: &Path, outputs: &[(String, Array)]) -> anyhow::Result<()> {
    let bytes = match (Format::of(path)?, outputs) {
        (Format::Npy, [(_, array)]) => npy::to_bytes(array),
        (Format::Csv, [(_, array)]) => text::to_csv(array).into_bytes(),
        (Format::Json, [(_, array)]) => text::to_json(array).to_string().into_bytes(),
        (Format::Json, many) => {
            let object = many.iter().map(|(name, array)| (name.clone(), text::to_json(array)));
            serde_json::Value::Object(object.collect()).to_string().into_bytes()
        }
        (_, many) => anyhow::bail!("{}: {} outputs, only .json holds more than one", path.display(), many.len()),
    };
    files::write_bytes(path, &bytes)
}

/// Refuses early a name that [`write()`] would refuse at the end.
pub(crate) fn check_name(path: &Path, outputs: usize) -> anyhow::Result<()> {
    let format = Format::of(path)?;
    anyhow::ensure!(
        outputs == 1 || format == Format::Json,
        "{}: {outputs} outputs, only .json holds more than one",
        path.display()
    );
    Ok(())
}

/// Matches `FILE` or `NAME=FILE` arguments to named inputs, in the order of the inputs.
pub(crate) fn by_name(arguments: &[String], names: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    if let ([argument], [name]) = (arguments, names) {
        let path = argument.strip_prefix(&format!("{name}=")).unwrap_or(argument);
        return Ok(vec![PathBuf::from(path)]);
    }
    let mut paths = vec![None; names.len()];
    for argument in arguments {
        let (name, path) = argument
            .split_once('=')
            .with_context(|| format!("{argument:?}: expected NAME=FILE, inputs are {names:?}"))?;
        let slot = names.iter().position(|n| *n == name).and_then(|i| paths.get_mut(i));
        let slot = slot.with_context(|| format!("no input is named {name:?}, inputs are {names:?}"))?;
        anyhow::ensure!(slot.is_none(), "input {name:?} is given twice");
        *slot = Some(PathBuf::from(path));
    }
    let given = paths.into_iter().zip(names);
    given.map(|(path, name)| path.with_context(|| format!("no file is given for input {name:?}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted<'_> = Wanted { name: "x", shape: &[2, 3], images: (4, "there are slots for") };

    #[test]
    fn shapes_are_checked() {
        for good in [&[1, 2, 3][..], &[4, 2, 3], &[4, 6]] {
            WANTED.check(good).unwrap();
        }
        for wrong in [&[][..], &[2, 3], &[0, 2, 3], &[1, 3, 2], &[1, 2, 3, 1], &[6]] {
            let error = WANTED.check(wrong).unwrap_err().to_string();
            assert_eq!(error, format!("\"x\" takes images of shape [batch, 2, 3], the file has {wrong:?}"));
        }
        assert_eq!(WANTED.check(&[5, 2, 3]).unwrap_err().to_string(), "a batch of 5 images, there are slots for 4");
    }

    #[test]
    fn every_format_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let data = vec![0.1, -2.0, 3e-30, 4.0, 5.5, 1.0 / 3.0];
        let array = Array { dims: vec![1, 6], data };
        for name in ["a.npy", "a.json", "a.csv"] {
            let path = folder.path().join(name);
            write(&path, &[("y".into(), array.clone())]).unwrap();
            assert_eq!(read(&path, WANTED).unwrap(), array, "{name}");
        }
        let two = [("a".to_owned(), array.clone()), ("b".to_owned(), array)];
        assert!(write(&folder.path().join("b.npy"), &two).is_err());
        assert!(write(&folder.path().join("b.txt"), &two[..1]).is_err());
        write(&folder.path().join("b.json"), &two).unwrap();
    }

    #[test]
    fn inputs_are_matched_by_name() {
        let arguments = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let ok = |list: &[&str], names: &[&str]| by_name(&arguments(list), names).unwrap();
        assert_eq!(ok(&["f.npy"], &["x"]), [PathBuf::from("f.npy")]);
        assert_eq!(ok(&["x=f.npy"], &["x"]), [PathBuf::from("f.npy")]);
        assert_eq!(ok(&["y=g", "x=f"], &["x", "y"]), [PathBuf::from("f"), PathBuf::from("g")]);
        for wrong in [&["f", "g"][..], &["x=f"], &["x=f", "x=g"], &["x=f", "z=g"]] {
            assert!(by_name(&arguments(wrong), &["x", "y"]).is_err(), "{wrong:?}");
        }
    }
}
