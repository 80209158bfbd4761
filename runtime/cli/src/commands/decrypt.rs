//! `henge decrypt`: logits back into numbers.

use std::fmt::Write as _;

use execute::ckks::decode;
use he_ckks::{CkksContext, Encoder};
use he_secret::{Decryptor, SecretKey};

use crate::args::{Args, Decrypt};
use crate::bundle::{Role, read_one, read_tensors};
use crate::interface::{Interface, Port};
use crate::numbers::{self, Array};
use crate::security;

pub(crate) fn decrypt(args: &Args, command: &Decrypt) -> anyhow::Result<()> {
    let interface = Interface::read(&command.params)?;
    let line = security::admit(interface.params(), args.insecure)?;
    if let Some(path) = &command.output {
        numbers::check_name(path, interface.outputs().len())?;
    }
    let context = CkksContext::new(interface.params().clone())?;
    let most = SecretKey::body_len(&context);
    let (key, secret) = read_one::<SecretKey>(&command.secret_key, Role::SecretKey, &context, most)?;
    let values: Vec<usize> = interface.outputs().iter().map(Port::elements).collect();
    let (header, tensors) = read_tensors(&command.input, Role::Outputs, &context, &values)?;
    header.expect_program(&command.input, interface.program())?;
    header.expect_key(&command.input, key.key, "secret key")?;
    let (decryptor, encoder) = (Decryptor::new(&context, &secret), Encoder::new(&context));
    let outputs = super::step(args, "decrypted", || {
        let mut outputs = Vec::with_capacity(tensors.len());
        for (tensor, port) in tensors.into_iter().zip(interface.outputs()) {
            let (name, found, expected) = (&port.name, tensor.values(), port.elements());
            anyhow::ensure!(
                found == expected,
                "output {name:?} has {found} ciphertexts, the interface says {expected}"
            );
            let batch =
                decode(&encoder, &decryptor.decrypt(&tensor.into_ciphertexts(&context)?)?, header.images as usize)?;
            outputs.push((name.clone(), super::run::array(port, &batch)));
        }
        Ok(outputs)
    })?;
    if let Some(path) = &command.output {
        numbers::write(path, &outputs)?;
    }
    let printed = command.argmax || command.output.is_none();
    super::print(line, true, &if printed { text(&outputs, command.argmax) } else { String::new() })
}

/// One line per image; a line with the name before each output when there are several.
pub(super) fn text(outputs: &[(String, Array)], argmax: bool) -> String {
    let mut text = String::new();
    for (name, array) in outputs {
        if outputs.len() > 1 {
            let _ = writeln!(text, "# {name}");
        }
        let elements = array.dims.iter().skip(1).product::<usize>().max(1);
        for logits in array.data.chunks(elements) {
            if argmax {
                let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
                let _ = writeln!(text, "{}", best.map_or(0, |(index, _)| index));
            } else {
                let line: Vec<String> = logits.iter().map(|x| format!("{x:.6}")).collect();
                let _ = writeln!(text, "{}", line.join(","));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_image() {
        let array = Array { dims: vec![2, 3], data: vec![0.5, -1.0, 0.25, 1.0, 7.0, 6.0] };
        let one = [("y".to_owned(), array.clone())];
        assert_eq!(text(&one, false), "0.500000,-1.000000,0.250000\n1.000000,7.000000,6.000000\n");
        assert_eq!(text(&one, true), "0\n1\n");
        let two = [("y".to_owned(), array.clone()), ("z".to_owned(), array)];
        assert_eq!(text(&two, true), "# y\n0\n1\n# z\n0\n1\n");
    }
}
