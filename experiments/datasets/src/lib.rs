//! Image sets with labels.
