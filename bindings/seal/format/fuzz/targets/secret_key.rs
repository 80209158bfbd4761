#![no_main]

use seal_format::{Compression, Load, SecretKey};
use seal_format_fuzz::CONTEXT;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok((key, _)) = SecretKey::load(bytes, &CONTEXT) {
        let saved = key.save(Compression::None).expect("memory");
        assert_eq!(SecretKey::load(&saved, &CONTEXT), Ok((key, saved.len())));
    }
});
