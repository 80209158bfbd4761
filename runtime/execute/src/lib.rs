//! Runs a program on a backend.
