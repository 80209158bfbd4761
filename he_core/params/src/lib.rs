//! Plain values of the scheme: parameter literals, presets, prime search, levels, scales, noise formulas, security tables.
