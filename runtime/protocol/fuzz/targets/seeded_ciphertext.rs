#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    protocol_fuzz::run("seeded_ciphertext", bytes);
});
