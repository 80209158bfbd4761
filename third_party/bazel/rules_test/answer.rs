//! A procedural macro.
use proc_macro::TokenStream;

/// Expands to `42u8`.
#[proc_macro]
pub fn answer(_: TokenStream) -> TokenStream {
    "42u8".parse().unwrap_or_default()
}
