unsafe extern "C" {
    safe fn triple_of(x: u32) -> u32;
}

#[test]
fn calls_into_cpp() {
    assert_eq!(triple_of(14), 42);
}
