#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seal_format_fuzz::outline(bytes));
