//! Files whole or not at all: written beside their place and moved there, read up to a bound.
//!
//! Nothing is buffered here: objects are written in few large pieces, and a buffer would keep a copy of a secret.

use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;

/// How to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Readable by its owner only.
    pub(crate) private: bool,
    /// May replace a file that exists.
    pub(crate) replace: bool,
}

impl Place {
    /// For anybody, in place of whatever is there.
    pub(crate) const PLAIN: Place = Place { private: false, replace: true };
}

/// Writes a file: everything that `fill` gives, or nothing.
pub(crate) fn write(
    path: &Path,
    place: Place,
    fill: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", path.display());
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = if place.private { 0o600 } else { 0o666 };
    let mut file = tempfile::Builder::new()
        .prefix(".henge-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)
        .with_context(cannot)?;
    fill(file.as_file_mut()).with_context(cannot)?;
    file.as_file().sync_all().with_context(cannot)?;
    if place.replace {
        file.persist(path).map_err(|error| error.error).with_context(cannot)?;
    } else {
        file.persist_noclobber(path)
            .map_err(|error| match error.error.kind() {
                std::io::ErrorKind::AlreadyExists => anyhow::anyhow!("it exists; --force replaces it"),
                _ => error.error.into(),
            })
            .with_context(cannot)?;
    }
    Ok(())
}

/// Writes bytes that stand in memory.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write(path, Place::PLAIN, |out| Ok(out.write_all(bytes)?))
}

/// Opens a file to read.
pub(crate) fn open(path: &Path) -> anyhow::Result<File> {
    let cannot = || format!("{} cannot be read", path.display());
    let file = File::open(path).with_context(cannot)?;
    anyhow::ensure!(!file.metadata().with_context(cannot)?.is_dir(), "{} is a folder", path.display());
    Ok(file)
}

/// Reads a file of at most `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("{} cannot be read", path.display());
    let file = open(path)?;
    // Room for all of it at once: growing would leave copies of a secret behind.
    let length = file.metadata().with_context(cannot)?.len().min(most);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(length)?.saturating_add(1)).with_context(cannot)?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).with_context(cannot)?;
    anyhow::ensure!(bytes.len() as u64 <= most, "{} has more than {most} bytes", path.display());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_behind_when_writing_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let error = write(&path, Place::PLAIN, |out| {
            out.write_all(b"half")?;
            anyhow::bail!("no more")
        });
        assert!(format!("{:#}", error.unwrap_err()).ends_with("x cannot be written: no more"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_exists_stays_unless_it_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let put = |replace, bytes: &'static [u8]| {
            write(&path, Place { private: true, replace }, |out| Ok(out.write_all(bytes)?))
        };
        put(false, b"first").unwrap();
        assert!(format!("{:#}", put(false, b"second").unwrap_err()).ends_with("it exists; --force replaces it"));
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        put(true, b"third").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"third");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn reading_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_bytes(&path, &[7; 10]).unwrap();
        assert_eq!(read(&path, 10).unwrap(), [7; 10]);
        assert!(read(&path, 9).unwrap_err().to_string().ends_with("has more than 9 bytes"));
        assert!(read(folder.path(), 9).is_err());
    }
}
