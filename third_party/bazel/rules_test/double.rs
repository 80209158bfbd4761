/// Twice `x`, for C.
#[unsafe(no_mangle)]
pub extern "C" fn double_of(x: u32) -> u32 {
    x * 2
}
