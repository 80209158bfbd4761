//! `henge seal decrypt`: SEAL's ciphertexts under SEAL's key, as numbers.

use std::fmt::Write as _;

use anyhow::Context as _;
use he_ckks::{CkksContext, Encoder};
use he_secret::Decryptor;
use seal_format::SecretKey;
use seal_format::convert::Converter;
use serde::Serialize;

use super::import::read_ciphertexts;
use super::{Parameters, load};
use crate::args::Args;
use crate::args::seal::Decrypt;

/// A message.
#[derive(Debug, Serialize)]
struct Message {
    scale: f64,
    level: u8,
    components: usize,
    /// Real and imaginary part of each slot.
    slots: Vec<[f64; 2]>,
}

pub(super) fn decrypt(args: &Args, command: &Decrypt) -> anyhow::Result<()> {
    let Decrypt { file, parms, secret_key, slots, json } = command;
    let parameters = Parameters::read(args, parms)?;
    let context = CkksContext::new(parameters.params.clone())?;
    let converter = Converter::new(&context).with_context(|| parms.display().to_string())?;
    let found = load::<SecretKey>(secret_key, "SEAL's secret key", converter.seal())?;
    let key = converter.secret_key_from_seal(&found).with_context(|| secret_key.display().to_string())?;
    drop(found);
    let ciphertexts = read_ciphertexts(std::slice::from_ref(file), &converter)?;
    let (decryptor, encoder) = (Decryptor::new(&context, &key), Encoder::new(&context));
    let count = slots.unwrap_or(context.slots());
    anyhow::ensure!(count <= context.slots(), "--slots {count}, there are {}", context.slots());
    let mut messages = Vec::with_capacity(ciphertexts.len());
    for found in ciphertexts {
        let x = found.ciphertext;
        let numbers = encoder.decode_complex(&decryptor.decrypt(&x)?, 0)?;
        messages.push(Message {
            scale: x.scale().get(),
            level: x.level().get(),
            components: x.component_count(),
            slots: numbers.iter().take(count).map(|z| [z.re, z.im]).collect(),
        });
    }
    let text = match json {
        true => serde_json::to_string_pretty(&messages)? + "\n",
        false => text(&messages),
    };
    crate::commands::print(parameters.line, true, &text)
}

/// A line about each ciphertext, then one for each slot: real and imaginary part.
fn text(messages: &[Message]) -> String {
    let mut text = String::new();
    for Message { scale, level, components, slots } in messages {
        let _ = writeln!(text, "# scale {scale} (2^{:.3}), level {level}, {components} components", scale.log2());
        for [re, im] in slots {
            let _ = writeln!(text, "{re:.9},{im:.9}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_slot() {
        let message = |slots| Message { scale: 1024.0, level: 2, components: 3, slots };
        let found = text(&[message(vec![[0.5, -0.25], [1.0, 0.0]]), message(vec![])]);
        let line = "# scale 1024 (2^10.000), level 2, 3 components\n";
        assert_eq!(found, format!("{line}0.500000000,-0.250000000\n1.000000000,0.000000000\n{line}"));
    }
}
