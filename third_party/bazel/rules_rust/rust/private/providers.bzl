"""What one Rust target hands to the ones that depend on it."""

RustInfo = provider(fields = {
    "crate": "name that `extern crate` uses",
    "files": "depset of Files: every .rlib and macro .so that rustc must be able to open",
    "is_macro": "bool: a procedural macro, which runs in the compiler",
    "link_flags": "depset of strings: native link flags, for the final link",
    "native": "depset of Files: native static libraries, for the final link",
    "output": "File: the .rlib, or the .so of a procedural macro; None for a binary",
    "source": "what rust_test(crate = ...) builds again (source.bzl), or None",
})
