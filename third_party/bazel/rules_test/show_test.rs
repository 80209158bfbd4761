use std::process::Command;

#[test]
fn the_binary_prints_the_line() {
    let out = Command::new(env!("CARGO_BIN_EXE_show")).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&out.stdout),
        "hello bazel 6 7 42 true 1.2.3\n"
    );
}
