#![no_main]

use seal_format::{Compression, Context, EncryptionParameters, Reader, Save};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok((parameters, _)) = EncryptionParameters::load(bytes, Reader::Known) {
        let saved = parameters.save(Compression::None).expect("memory");
        assert_eq!(EncryptionParameters::load(&saved, Reader::Known), Ok((parameters.clone(), saved.len())));
        let _ = Context::new(parameters);
    }
});
