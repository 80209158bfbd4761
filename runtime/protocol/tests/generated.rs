//! The committed Rust side of the `.proto` file is what the generator makes of it today.
//!
//! `HENGE_BLESS=1 cargo test -p protocol --test generated` writes it anew.

use std::fs;
use std::path::Path;

#[test]
fn generated_code_is_up_to_date() {
    let (root, committed) = match option_env!("CARGO_MANIFEST_DIR").map(Path::new).filter(|p| p.join("proto").is_dir())
    {
        Some(folder) => (folder.join("proto"), folder.join("src/v1.rs")),
        None => ("runtime/protocol/proto".into(), "runtime/protocol/src/v1.rs".into()),
    };
    let files = protox::compile(["henge/v1/inference.proto"], [&root]).unwrap();
    let out = tempfile::tempdir().unwrap();
    tonic_prost_build::configure().bytes(".henge.v1.Part.data").out_dir(out.path()).compile_fds(files).unwrap();
    let made = fs::read_to_string(out.path().join("henge.v1.rs")).unwrap();
    if std::env::var_os("HENGE_BLESS").is_some() {
        fs::write(&committed, &made).unwrap();
    }
    let found = fs::read_to_string(&committed).unwrap();
    assert!(found == made, "{} is not what proto/henge/v1/inference.proto gives", committed.display());
}
