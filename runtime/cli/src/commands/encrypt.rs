//! `henge encrypt`: images into ciphertexts, each encryption with randomness of its own.

use he_ckks::{CkksContext, Encoder, PublicEncryptor};
use he_params::noise::Encryption;
use he_rlwe::PublicKey;
use he_secret::{SecretKey, SymmetricEncryptor};

use execute::Batch;
use execute::ckks::CkksTensor;

use crate::args::{Args, Encrypt};
use crate::bundle::{Form, Header, Role, read_one, write_tensor};
use crate::files::{self, Place};
use crate::identity::KeyId;
use crate::interface::{Interface, Port};
use crate::keys::fresh_seed;
use crate::security;

/// Encrypts a batch as one input.
type Encryptor<'a> = Box<dyn FnMut(&Batch, &Port) -> anyhow::Result<CkksTensor> + 'a>;

pub(crate) fn encrypt(args: &Args, command: &Encrypt) -> anyhow::Result<()> {
    let interface = Interface::read(&command.params)?;
    let params = interface.params();
    let line = security::admit(params, args.insecure)?;
    let arrays =
        super::read_inputs(&command.input, interface.inputs(), (params.slots(), "a ciphertext has slots for"))?;
    let mut batches = Vec::with_capacity(arrays.len());
    for (array, port) in arrays.iter().zip(interface.inputs()) {
        let batch = Batch::from_images(&array.data, port.elements())?;
        port.check_numbers(&batch)?;
        batches.push(batch);
    }
    let images = batches.first().map_or(0, Batch::images);
    let context = CkksContext::new(params.clone())?;
    let secret: SecretKey;
    let (key, mut encryptor): (KeyId, Encryptor<'_>) = match (&command.secret_key, &command.public_key) {
        (Some(path), _) => {
            let (header, key) = read_one(path, Role::SecretKey, &*context, SecretKey::body_len(&context))?;
            secret = key;
            let mut encryptor = SymmetricEncryptor::new(&context, &secret, &fresh_seed()?);
            let encrypt = move |batch: &Batch, port: &Port| {
                let rows: Vec<&[f64]> = batch.rows().collect();
                Ok(encryptor.encrypt_tensor(&rows, port.level, port.scale)?.into())
            };
            (header.key, Box::new(encrypt))
        }
        (None, Some(path)) => {
            let most = PublicKey::max_body_len(context.rlwe())?;
            let (header, key): (Header, PublicKey) = read_one(path, Role::PublicKey, context.rlwe(), most)?;
            let mut encryptor = PublicEncryptor::new(&context, key, fresh_seed()?);
            let encoder = Encoder::new(&context);
            let encrypt = move |batch: &Batch, port: &Port| {
                let rows: Vec<&[f64]> = batch.rows().collect();
                Ok(encryptor.encrypt(&encoder.encode_tensor(&rows, port.level, port.scale)?)?.into())
            };
            (header.key, Box::new(encrypt))
        }
        (None, None) => anyhow::bail!("neither --secret-key nor --public-key is given"),
    };
    let encrypted = super::step(args, format!("{images} images encrypted"), || {
        batches
            .iter()
            .zip(interface.inputs())
            .map(|(batch, port)| encryptor(batch, port))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let names = interface.inputs().iter().map(|port| port.name.clone());
    let header = Header {
        role: Role::Inputs,
        key,
        program: interface.program(),
        images: u32::try_from(images)?,
        objects: names.zip(encrypted.iter().map(Form::of)).collect(),
    };
    files::write(&command.output, Place::PLAIN, |out| {
        header.write_to(out)?;
        encrypted.iter().try_for_each(|tensor| write_tensor(&context, tensor, out))
    })?;
    let elements: usize = interface.inputs().iter().map(Port::elements).sum();
    let output = command.output.display();
    let mut report = format!("{images} images in {elements} ciphertexts under key {key}: {output}\n");
    if command.public_key.is_some() && interface.encryption() != Encryption::Public {
        report
            .push_str("less precise than stated: compiled for inputs under the secret key, see explain --public-key\n");
    }
    super::print(line, false, &report)
}
