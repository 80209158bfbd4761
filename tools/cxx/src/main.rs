//! Writes the C++ side of a `#[cxx::bridge]` module.
//!
//! ```text
//! cxxbridge IN.rs OUT.h OUT.cc     the declarations and definitions of a bridge
//! cxxbridge OUT.h                  rust/cxx.h, the types that every bridge speaks
//! ```

#![forbid(unsafe_code)]

use std::fs;

use anyhow::{Context, anyhow, bail};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [header] => write(header, cxx_gen::HEADER.as_bytes()),
        [source, header, implementation] => {
            let text = fs::read_to_string(source).with_context(|| format!("{source} cannot be read"))?;
            let code = generate(&text).with_context(|| source.clone())?;
            write(header, &code.header)?;
            write(implementation, &code.implementation)
        }
        _ => bail!("usage: cxxbridge IN.rs OUT.h OUT.cc, or cxxbridge OUT.h"),
    }
}

fn generate(source: &str) -> anyhow::Result<cxx_gen::GeneratedCode> {
    let tokens = source.parse().map_err(|error| anyhow!("not Rust: {error}"))?;
    Ok(cxx_gen::generate_header_and_cc(tokens, &cxx_gen::Opt::default())?)
}

fn write(path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("{path} cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_throws_is_wrapped() {
        let bridge = r#"
            #[cxx::bridge(namespace = "there")]
            mod ffi {
                unsafe extern "C++" {
                    include!("there.h");
                    fn divide(x: i64, by: i64) -> Result<i64>;
                }
            }"#;
        let code = generate(bridge).unwrap();
        let implementation = String::from_utf8(code.implementation).unwrap();
        assert!(implementation.contains("#include \"there.h\"") && implementation.contains("trycatch"));
        assert!(cxx_gen::HEADER.contains("class Slice"));
    }

    #[test]
    fn what_is_no_bridge_is_refused() {
        assert!(generate("fn (").is_err());
        assert!(generate("#[cxx::bridge] mod ffi { extern \"C++\" { fn f(x: Unknown); } }").is_err());
    }
}
