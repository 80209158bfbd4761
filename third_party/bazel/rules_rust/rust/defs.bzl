"""The names that BUILD files load, as in upstream rules_rust."""

load("//rust/private:binary.bzl", _rust_binary = "rust_binary", _rust_test = "rust_test")
load("//rust/private:library.bzl", _rust_library = "rust_library", _rust_proc_macro = "rust_proc_macro", _rust_static_library = "rust_static_library")

rust_binary = _rust_binary
rust_library = _rust_library
rust_proc_macro = _rust_proc_macro
rust_static_library = _rust_static_library
rust_test = _rust_test
