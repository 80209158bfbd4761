//! From a network to an encrypted program.
