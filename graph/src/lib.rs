//! Neural networks before any cryptography.
