//! NumPy's `.npy`: one array of little-endian `f32` or `f64` in row-major order.
//!
//! Layout: `\x93NUMPY`, version (1.0, 2.0 or 3.0), length of the header (u16, from 2.0 on u32), the header as a Python dictionary
//! with `descr`, `fortran_order` and `shape`, then the numbers.
//! Source: the format specification in NumPy's documentation (`numpy.lib.format`).

use std::io::Read;

use anyhow::Context;

use super::Array;

const MAGIC: [u8; 6] = *b"\x93NUMPY";
/// Longest header read.
const MAX_HEADER: u32 = 1 << 16;
/// Headers are padded to a multiple of this.
const ALIGN: usize = 64;

/// Reads an array whose extents `check` accepts; memory is taken only after that, and for numbers that are there.
pub(super) fn read(input: &mut impl Read, check: impl FnOnce(&[usize]) -> anyhow::Result<()>) -> anyhow::Result<Array> {
    let magic: [u8; 6] = array(input)?;
    anyhow::ensure!(magic == MAGIC, "not an .npy file: it begins with bytes {magic:02x?}");
    let [major, minor] = array(input)?;
    let length = match (major, minor) {
        (1, 0) => u32::from(u16::from_le_bytes(array(input)?)),
        (2 | 3, 0) => u32::from_le_bytes(array(input)?),
        _ => anyhow::bail!(".npy file of version {major}.{minor}, expected 1.0, 2.0 or 3.0"),
    };
    anyhow::ensure!(length <= MAX_HEADER, ".npy header of {length} bytes, at most {MAX_HEADER}");
    let mut header = vec![0; length as usize];
    input.read_exact(&mut header).context("the file ends in its header")?;
    let header = String::from_utf8(header).context("the .npy header is not UTF-8")?;
    let fields = Fields::parse(&header).with_context(|| format!("the .npy header is {:?}", header.trim()))?;
    anyhow::ensure!(
        !fields.fortran_order,
        "the .npy array is in column-major order; save it with numpy.ascontiguousarray"
    );
    check(&fields.shape)?;
    let count = fields.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).context("too many numbers")?;
    let width = match fields.descr.as_str() {
        "<f4" => 4,
        "<f8" => 8,
        other => anyhow::bail!("the .npy array has numbers of type {other:?}, expected \"<f4\" or \"<f8\""),
    };
    let bytes = count.checked_mul(width).context("too many numbers")? as u64;
    let mut raw = Vec::new();
    input.take(bytes.saturating_add(1)).read_to_end(&mut raw)?;
    let found = raw.len() as u64;
    anyhow::ensure!(found >= bytes, "{found} bytes of numbers, the header says {bytes}");
    anyhow::ensure!(found == bytes, "bytes follow the {bytes} bytes of numbers that the header says");
    let data = match width {
        4 => raw.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
        _ => raw.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
    };
    Ok(Array { dims: fields.shape, data })
}

/// The file of an array, as `f64`.
pub(super) fn to_bytes(array: &Array) -> Vec<u8> {
    let dims: String = array.dims.iter().map(|d| format!("{d}, ")).collect();
    // One extent keeps its comma, more lose the last one; NumPy takes either.
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}", dims.trim_end());
    let used = MAGIC.len() + 4 + header.len() + 1;
    header.push_str(&" ".repeat(used.next_multiple_of(ALIGN) - used));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(array.data.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

fn array<const N: usize>(input: &mut impl Read) -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes).context("the file ends in its header")?;
    Ok(bytes)
}

struct Fields {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Fields {
    /// Reads the three entries of the dictionary, in any order and with either quote.
    fn parse(header: &str) -> anyhow::Result<Fields> {
        let body =
            header.trim().strip_prefix('{').and_then(|h| h.strip_suffix('}')).context("expected a dictionary")?;
        let value = |key: &str| {
            let quoted = ['\'', '"'].map(|quote| format!("{quote}{key}{quote}"));
            let rest = quoted.iter().find_map(|key| body.split_once(key.as_str())).map(|(_, rest)| rest.trim_start());
            let rest = rest.and_then(|rest| rest.strip_prefix(':')).map(str::trim_start);
            rest.with_context(|| format!("no entry {key:?}"))
        };
        let descr = value("descr")?;
        let quote = descr.chars().next().filter(|c| "'\"".contains(*c)).context("descr is not a string")?;
        let descr = descr.split(quote).nth(1).context("descr is not a string")?;
        let order = value("fortran_order")?;
        let shape = value("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let (extents, _) = shape.context("shape is not a tuple")?;
        let extents = extents.split(',').map(str::trim).filter(|e| !e.is_empty());
        let shape = extents.map(|e| e.parse().with_context(|| format!("extent {e:?}"))).collect::<Result<_, _>>()?;
        Ok(Fields { descr: descr.to_owned(), fortran_order: order.starts_with("True"), shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As NumPy 2 writes `np.save(f, np.array([[1.5, -2]], dtype=...))`.
    fn file(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{header:<117}\n").as_bytes());
        bytes.extend(data);
        bytes
    }

    fn parse(bytes: &[u8]) -> anyhow::Result<Array> {
        read(&mut &bytes[..], |_| Ok(()))
    }

    #[test]
    fn both_widths_are_read() {
        let narrow: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let wide: Vec<u8> = [1.5f64, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        for (descr, data) in [("<f4", narrow), ("<f8", wide)] {
            let array = parse(&file(descr, "False", "(1, 2)", &data)).unwrap();
            assert_eq!(array, Array { dims: vec![1, 2], data: vec![1.5, -2.0] });
        }
        assert_eq!(parse(&file("<f4", "False", "(0,)", &[])).unwrap().dims, [0]);
    }

    #[test]
    fn what_is_written_is_read_and_aligned() {
        for dims in [vec![6], vec![2, 3], vec![1, 2, 3]] {
            let array = Array { dims, data: vec![0.0, 1.0, -2.0, 3.5, f64::MIN_POSITIVE, 1e300] };
            let bytes = to_bytes(&array);
            assert_eq!((bytes.len() - 48) % ALIGN, 0);
            assert_eq!(parse(&bytes).unwrap(), array);
        }
    }

    #[test]
    fn each_wrong_file_is_refused() {
        let message = |bytes: &[u8]| format!("{:#}", parse(bytes).unwrap_err());
        assert!(message(b"PK\x03\x04....").contains("not an .npy file"));
        assert!(message(&file("<f4", "True", "(1, 1)", &[0; 4])).contains("column-major"));
        assert!(message(&file("<i8", "False", "(1, 1)", &[0; 8])).contains("type \"<i8\""));
        assert!(message(&file(">f4", "False", "(1, 1)", &[0; 4])).contains("type \">f4\""));
        assert!(message(&file("<f4", "False", "(2, 2)", &[0; 12])).contains("12 bytes of numbers, the header says 16"));
        assert!(message(&file("<f4", "False", "(1, 1)", &[0; 5])).contains("bytes follow"));
        assert!(message(&file("<f4", "False", "1", &[])).contains("shape is not a tuple"));
        assert!(message(&file("<f4", "False", "(-1,)", &[])).contains("extent \"-1\""));
        assert!(message(&file("<f8", "False", "(99999999999, 99999999999)", &[])).contains("too many numbers"));
        let whole = file("<f4", "False", "(1, 1)", &[0; 4]);
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length}");
        }
        let mut version = whole;
        version[6] = 4;
        assert!(message(&version).contains("version 4.0"));
    }
}
