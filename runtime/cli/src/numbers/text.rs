//! Arrays as text: nested JSON lists, or one image per line of comma-separated numbers.

use anyhow::Context;
use serde_json::Value;

use super::Array;

/// Deepest nesting of lists.
const MAX_DEPTH: usize = 8;

/// Nested lists of equal lengths, the outermost one counting images.
pub(super) fn from_json(bytes: &[u8]) -> anyhow::Result<Array> {
    let value: Value = serde_json::from_slice(bytes).context("not JSON")?;
    let mut dims = Vec::new();
    let mut first = &value;
    while let Value::Array(items) = first {
        anyhow::ensure!(dims.len() < MAX_DEPTH, "lists nested more than {MAX_DEPTH} deep");
        dims.push(items.len());
        match items.first() {
            Some(item) => first = item,
            None => break,
        }
    }
    let mut data = Vec::new();
    flatten(&value, &dims, &mut data)?;
    Ok(Array { dims, data })
}

fn flatten(value: &Value, dims: &[usize], data: &mut Vec<f64>) -> anyhow::Result<()> {
    match (value, dims) {
        (Value::Array(items), [extent, inner @ ..]) => {
            let found = items.len();
            anyhow::ensure!(found == *extent, "lists of different lengths: {found} and {extent}");
            items.iter().try_for_each(|item| flatten(item, inner, data))
        }
        (Value::Number(number), []) => {
            data.push(number.as_f64().context("a number that does not fit a double")?);
            Ok(())
        }
        (Value::Array(_), []) => anyhow::bail!("a list where a number stands elsewhere"),
        (Value::Number(_), _) => anyhow::bail!("a number where a list stands elsewhere"),
        _ => anyhow::bail!("{value} is neither a number nor a list"),
    }
}

/// The array as nested lists.
pub(super) fn to_json(array: &Array) -> Value {
    fn nest(dims: &[usize], data: &[f64]) -> Value {
        match dims {
            [] => data.first().copied().map_or(Value::Null, Value::from),
            [_, inner @ ..] => {
                let size = inner.iter().product::<usize>().max(1);
                Value::Array(data.chunks(size).map(|part| nest(inner, part)).collect())
            }
        }
    }
    nest(&array.dims, &array.data)
}

/// One image per line, numbers separated by commas; empty lines and lines that begin with `#` are passed over.
pub(super) fn from_csv(bytes: &[u8]) -> anyhow::Result<Array> {
    let text = std::str::from_utf8(bytes).context("not UTF-8")?;
    let mut dims = [0, 0];
    let mut data = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let before = data.len();
        for field in line.split(',').map(str::trim) {
            let number: f64 =
                field.parse().with_context(|| format!("line {}: {field:?} is not a number", index + 1))?;
            data.push(number);
        }
        let found = data.len() - before;
        anyhow::ensure!(
            dims[0] == 0 || dims[1] == found,
            "line {}: {found} numbers, {} in the lines before",
            index + 1,
            dims[1]
        );
        dims = [dims[0] + 1, found];
    }
    Ok(Array { dims: dims.to_vec(), data })
}

/// One line per image.
pub(super) fn to_csv(array: &Array) -> String {
    let columns = array.dims.iter().skip(1).product::<usize>().max(1);
    let line = |row: &[f64]| row.iter().map(f64::to_string).collect::<Vec<_>>().join(",") + "\n";
    array.data.chunks(columns).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_lists_are_arrays() {
        let array = from_json(b"[[[1, 2.5], [3, -4]], [[5, 6], [7, 8e-3]]]").unwrap();
        assert_eq!(array, Array { dims: vec![2, 2, 2], data: vec![1.0, 2.5, 3.0, -4.0, 5.0, 6.0, 7.0, 0.008] });
        assert_eq!(from_json(to_json(&array).to_string().as_bytes()).unwrap(), array);
        assert_eq!(from_json(b"[]").unwrap().dims, [0]);
        for wrong in
            ["", "[", "[[1], [2, 3]]", "[[1], 2]", "[1, [2]]", "[\"x\"]", "{}", "[null]", "[[[[[[[[[1]]]]]]]]]"]
        {
            assert!(from_json(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lines_are_images() {
        let array = from_csv(b"# two images\n1, 2,3\n\n4,5,6e0\r\n").unwrap();
        assert_eq!(array, Array { dims: vec![2, 3], data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] });
        assert_eq!(to_csv(&array), "1,2,3\n4,5,6\n");
        let message = |text: &str| format!("{:#}", from_csv(text.as_bytes()).unwrap_err());
        assert!(message("1,2\n3").starts_with("line 2: 1 numbers, 2 in the lines before"));
        assert!(message("1,x").starts_with("line 1: \"x\" is not a number"));
        assert!(from_csv(&[0xff]).is_err());
    }
}
