//! One self-contained page.

use crate::record::Record;

/// The page.
pub(crate) fn page(record: &Record) -> String {
    let _ = record;
    String::new()
}
