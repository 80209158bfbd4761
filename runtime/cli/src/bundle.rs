//! Files of keys and ciphertexts: a header that says what belongs together, then objects in the wire format.
//!
//! | length | field |
//! |---|---|
//! | 4 | "HNGB" |
//! | 2 | version: 1 |
//! | 2 | role: 1 secret key, 2 evaluation keys, 3 public key, 4 inputs, 5 outputs |
//! | 16 | key id: of the pair that the objects belong to |
//! | 32 | SHA-256 of the program; zero for keys |
//! | 4 | images in the batch; 0 for keys |
//! | 2 | number of objects |
//! | | for each object: u8 form (0 whole, 1 second components as a seed), u16 length of the name, name in UTF-8 |
//! | 32 | SHA-256 of the header so far |
//! | | the objects, each in its own envelope with its own checksum, and nothing after them |
//!
//! Integers are little-endian. The envelope of an object holds it to its parameters, the header holds a file to a key pair and to a
//! program, so that a wrong key is an error and not noise.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::Context;
use execute::ckks::CkksTensor;
use he_ckks::{CiphertextTensor, CkksContext, SeededCiphertextTensor};
use he_rlwe::wire::{WireObject, expect_end_of_stream};
use sha2::{Digest, Sha256};

use crate::files;
use crate::identity::{KeyId, ProgramId};

const MAGIC: [u8; 4] = *b"HNGB";
const VERSION: u16 = 1;
const FIXED: usize = 4 + 2 + 2 + 16 + 32 + 4 + 2;
/// Most objects in a file.
const MAX_OBJECTS: u16 = 256;
/// More ciphertexts than a tensor ever has; memory is taken as bytes arrive.
const MOST_VALUES: usize = 1 << 32;
/// Longest name, in bytes.
const MAX_NAME: u16 = 1024;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Role {
    SecretKey = 1,
    EvaluationKeys = 2,
    PublicKey = 3,
    Inputs = 4,
    Outputs = 5,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::SecretKey => "a secret key",
            Role::EvaluationKeys => "evaluation keys",
            Role::PublicKey => "a public key",
            Role::Inputs => "encrypted inputs",
            Role::Outputs => "encrypted outputs",
        })
    }
}

impl Role {
    const ALL: [Role; 5] = [Role::SecretKey, Role::EvaluationKeys, Role::PublicKey, Role::Inputs, Role::Outputs];
}

/// How an object is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    Seeded,
}

impl Form {
    pub(crate) fn of(tensor: &CkksTensor) -> Self {
        match tensor {
            CkksTensor::Whole(_) => Form::Whole,
            CkksTensor::Seeded(_) => Form::Seeded,
        }
    }
}

/// The header of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) role: Role,
    pub(crate) key: KeyId,
    pub(crate) program: ProgramId,
    pub(crate) images: u32,
    pub(crate) objects: Vec<(String, Form)>,
}

impl Header {
    /// The header of a file of keys.
    pub(crate) fn of_key(role: Role, key: KeyId) -> Header {
        Header { role, key, program: ProgramId::NONE, images: 0, objects: vec![(String::new(), Form::Whole)] }
    }

    pub(crate) fn write_to(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((self.role as u16).to_le_bytes());
        bytes.extend(self.key.0);
        bytes.extend(self.program.0);
        bytes.extend(self.images.to_le_bytes());
        let count = u16::try_from(self.objects.len()).ok().filter(|count| *count <= MAX_OBJECTS);
        bytes.extend(
            count.with_context(|| format!("{} objects, at most {MAX_OBJECTS}", self.objects.len()))?.to_le_bytes(),
        );
        for (name, form) in &self.objects {
            let length = u16::try_from(name.len()).ok().filter(|length| *length <= MAX_NAME);
            bytes.push(u8::from(*form == Form::Seeded));
            bytes.extend(length.with_context(|| format!("a name of more than {MAX_NAME} bytes"))?.to_le_bytes());
            bytes.extend(name.as_bytes());
        }
        out.write_all(&bytes)?;
        Ok(out.write_all(&Sha256::digest(&bytes))?)
    }

    /// Reads a header of the role that is wanted, and nothing behind it.
    pub(crate) fn read_from(input: &mut impl Read, wanted: Role) -> anyhow::Result<Header> {
        let header = Header::read_any(input)?;
        anyhow::ensure!(header.role == wanted, "this file holds {}, expected {wanted}", header.role);
        Ok(header)
    }

    /// Reads a header of whatever role, and nothing behind it.
    pub(crate) fn read_any(input: &mut impl Read) -> anyhow::Result<Header> {
        let mut input = Hashed { input, bytes: Vec::with_capacity(FIXED) };
        let magic: [u8; 4] = input.array()?;
        anyhow::ensure!(magic == MAGIC, "not a file of keys or ciphertexts: it begins with bytes {magic:02x?}");
        let version = u16::from_le_bytes(input.array()?);
        anyhow::ensure!(version == VERSION, "file of version {version}, this program reads version {VERSION}");
        let role = u16::from_le_bytes(input.array()?);
        let found = Role::ALL.into_iter().find(|r| *r as u16 == role);
        let role = found.with_context(|| format!("file of unknown role {role}"))?;
        let (key, program) = (KeyId(input.array()?), ProgramId(input.array()?));
        let images = u32::from_le_bytes(input.array()?);
        let count = u16::from_le_bytes(input.array()?);
        anyhow::ensure!(count <= MAX_OBJECTS, "{count} objects, at most {MAX_OBJECTS}");
        let mut objects = Vec::new();
        for _ in 0..count {
            let form = match input.array()? {
                [0] => Form::Whole,
                [1] => Form::Seeded,
                [other] => anyhow::bail!("object of unknown form {other}"),
            };
            let length = u16::from_le_bytes(input.array()?);
            anyhow::ensure!(length <= MAX_NAME, "a name of {length} bytes, at most {MAX_NAME}");
            let name = String::from_utf8(input.take(usize::from(length))?).context("a name is not UTF-8")?;
            objects.push((name, form));
        }
        let expected: [u8; 32] = Sha256::digest(&input.bytes).into();
        anyhow::ensure!(input.array()? == expected, "header checksum mismatch: the file is damaged");
        Ok(Header { role, key, program, images, objects })
    }

    /// Refuses a file that belongs to another key pair.
    pub(crate) fn expect_key(&self, path: &Path, key: KeyId, whose: &str) -> anyhow::Result<()> {
        let found = self.key;
        anyhow::ensure!(found == key, "{} belongs to key {found}, the {whose} to key {key}", path.display());
        Ok(())
    }

    /// Refuses a file that belongs to another program.
    pub(crate) fn expect_program(&self, path: &Path, program: ProgramId) -> anyhow::Result<()> {
        let found = self.program;
        anyhow::ensure!(
            found == program,
            "{} was made for program {found}, the interface is for program {program}",
            path.display()
        );
        Ok(())
    }
}

/// Reads, and remembers what was read.
struct Hashed<'a, R> {
    input: &'a mut R,
    bytes: Vec<u8>,
}

impl<R: Read> Hashed<'_, R> {
    fn take(&mut self, length: usize) -> anyhow::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.input.read_exact(&mut bytes).context("the file ends in its header")?;
        self.bytes.extend(&bytes);
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> anyhow::Result<[u8; N]> {
        let bytes = self.take(N)?;
        let mut array = [0; N];
        array.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Ok(array)
    }
}

/// Reads a file that holds one object.
pub(crate) fn read_one<T: WireObject>(
    path: &Path,
    role: Role,
    context: &T::Context,
    max_body: u64,
) -> anyhow::Result<(Header, T)> {
    let read = || {
        let mut input = files::open(path)?;
        let header = Header::read_from(&mut input, role)?;
        let count = header.objects.len();
        anyhow::ensure!(count == 1, "{count} objects, expected 1");
        let object = T::read_from(context, &mut input, max_body)?;
        expect_end_of_stream(&mut input)?;
        Ok((header, object))
    };
    read().with_context(|| path.display().to_string())
}

/// Writes ciphertexts in the form they have.
pub(crate) fn write_tensor(context: &CkksContext, tensor: &CkksTensor, out: &mut dyn Write) -> anyhow::Result<()> {
    match tensor {
        CkksTensor::Whole(tensor) => Ok(tensor.write_to(context, out)?),
        CkksTensor::Seeded(tensor) => Ok(tensor.write_to(context, out)?),
    }
}

/// Reads a file of ciphertexts; `values` are the largest numbers of ciphertexts that each tensor may have, by position.
pub(crate) fn read_tensors(
    path: &Path,
    role: Role,
    context: &CkksContext,
    values: &[usize],
) -> anyhow::Result<(Header, Vec<CkksTensor>)> {
    let read = || {
        let mut input = files::open(path)?;
        let header = Header::read_from(&mut input, role)?;
        let (found, expected) = (header.objects.len(), values.len());
        anyhow::ensure!(found == expected, "{found} tensors, expected {expected}");
        let tensors = read_all(&mut input, context, &header, values)?;
        Ok((header, tensors))
    };
    read().with_context(|| path.display().to_string())
}

/// Reads a file of ciphertexts, inputs or outputs, however many there are.
pub(crate) fn read_whatever_tensors(path: &Path, context: &CkksContext) -> anyhow::Result<(Header, Vec<CkksTensor>)> {
    let read = || {
        let mut input = files::open(path)?;
        let header = Header::read_any(&mut input)?;
        let role = header.role;
        anyhow::ensure!(matches!(role, Role::Inputs | Role::Outputs), "this file holds {role}, expected ciphertexts");
        let tensors = read_all(&mut input, context, &header, &vec![MOST_VALUES; header.objects.len()])?;
        Ok((header, tensors))
    };
    read().with_context(|| path.display().to_string())
}

fn read_all(
    input: &mut impl Read,
    context: &CkksContext,
    header: &Header,
    values: &[usize],
) -> anyhow::Result<Vec<CkksTensor>> {
    let mut tensors = Vec::with_capacity(values.len());
    for ((name, form), &values) in header.objects.iter().zip(values) {
        let tensor = read_tensor(input, context, *form, values);
        tensors.push(tensor.with_context(|| format!("tensor {name:?}"))?);
    }
    expect_end_of_stream(input)?;
    Ok(tensors)
}

fn read_tensor(input: &mut impl Read, context: &CkksContext, form: Form, values: usize) -> anyhow::Result<CkksTensor> {
    Ok(match form {
        Form::Whole => {
            let most = CiphertextTensor::max_body_len(context, values)?;
            CiphertextTensor::read_from(context, input, most)?.into()
        }
        Form::Seeded => {
            let most = SeededCiphertextTensor::max_body_len(context, values)?;
            SeededCiphertextTensor::read_from(context, input, most)?.into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let objects = vec![("image".to_owned(), Form::Seeded), ("é".to_owned(), Form::Whole)];
        Header { role: Role::Inputs, key: KeyId([3; 16]), program: ProgramId([4; 32]), images: 77, objects }
    }

    fn bytes() -> Vec<u8> {
        let mut bytes = Vec::new();
        header().write_to(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn headers_come_back_and_leave_the_rest_unread() {
        let mut stream = bytes();
        stream.extend(b"rest");
        let mut input = stream.as_slice();
        assert_eq!(Header::read_from(&mut input, Role::Inputs).unwrap(), header());
        assert_eq!(input, b"rest");
    }

    #[test]
    fn every_changed_or_missing_byte_is_refused() {
        let good = bytes();
        for at in 0..good.len() {
            let mut damaged = good.clone();
            damaged[at] ^= 1;
            assert!(Header::read_from(&mut damaged.as_slice(), Role::Inputs).is_err(), "byte {at}");
            assert!(Header::read_from(&mut &good[..at], Role::Inputs).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn another_role_is_refused_by_name() {
        let error = Header::read_from(&mut bytes().as_slice(), Role::Outputs).unwrap_err().to_string();
        assert_eq!(error, "this file holds encrypted inputs, expected encrypted outputs");
    }

    #[test]
    fn names_are_bounded() {
        let mut long = header();
        long.objects[0].0 = "x".repeat(usize::from(MAX_NAME) + 1);
        assert!(long.write_to(&mut Vec::new()).is_err());
    }
}
