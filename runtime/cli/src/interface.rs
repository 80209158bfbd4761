//! The interface of a compiled model: what travels from the model owner to the key owner, and back with `run`.
//!
//! Format: JSON, version 2: parameter literal with its primes, inputs and outputs with shape, level and scale, the scales that the
//! program was placed on, and the program's SHA-256. No weight is in it. Whoever reads it checks everything that can be checked
//! without the model; `run` compiles the model on the same primes and scales and compares the digest.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use execute::Batch;
use he_ir::{CipherType, HeProgram};
use he_params::noise::Encryption;
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, Scale};
use serde::{Deserialize, Serialize};
use transforms::lowering::{CircuitNode, Gate};
use transforms::placement::{Chain, Management};
use transforms::ranges::Interval;
use transforms::{Choices, Compiled};

use crate::files;
use crate::identity::ProgramId;

const VERSION: u32 = 2;
/// Largest interface file.
const MAX_BYTES: u64 = 1 << 20;
/// Most inputs or outputs.
const MAX_PORTS: usize = 256;

/// A value that enters or leaves the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Port {
    /// Its name in the model.
    pub(crate) name: String,
    /// Shape of one image.
    pub(crate) shape: Vec<usize>,
    /// Level of its ciphertexts.
    pub(crate) level: Level,
    /// Scale of its ciphertexts.
    pub(crate) scale: Scale,
    /// Lowest and highest number that an input was compiled for; absent for outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) range: Option<Interval>,
}

/// Where the program was placed on the primes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Placement {
    /// Ciphertext primes used, the first of the literal's.
    primes: usize,
    input_scale: Scale,
    /// Whether a relinearize and the rescale behind it are one operation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fused: bool,
    management: Management,
}

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    henge_interface: u32,
    model: String,
    params: CkksParamsLiteral,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    placement: Placement,
    /// What was decided about functions between linear layers.
    #[serde(default, skip_serializing_if = "Choices::is_default")]
    choices: Choices,
    /// How inputs are encrypted, which the precision counts on.
    #[serde(default, skip_serializing_if = "is_default")]
    encryption: Encryption,
    program_sha256: String,
}

fn is_default(encryption: &Encryption) -> bool {
    *encryption == Encryption::default()
}

/// A checked interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    file: File,
    params: CkksParams,
    program: ProgramId,
}

impl Interface {
    /// The interface of a compiled model.
    pub(crate) fn new(compiled: &Compiled, stated: &HashMap<String, Interval>) -> anyhow::Result<Interface> {
        let (program, chain) = (&compiled.program, &compiled.chain);
        let params = CkksParams::try_from(with_primes(&compiled.params))?;
        let port = |name: &str, value: &CipherType, range| Port {
            name: name.to_owned(),
            shape: value.shape.clone(),
            level: value.level,
            scale: value.scale,
            range,
        };
        let range = |name: &str| stated.get(name).copied().or_else(|| sampled_range(compiled, name));
        let outputs =
            program.outputs().iter().filter_map(|(name, id)| Some(port(name, program.node(*id)?.value(), None)));
        let outputs = outputs.collect();
        let id = ProgramId::of(program, &params)?;
        let file = File {
            henge_interface: VERSION,
            model: program.name().to_owned(),
            params: params.literal().clone(),
            inputs: program.inputs().map(|(name, _, value)| port(name, value, range(name))).collect(),
            outputs,
            placement: Placement {
                primes: chain.q.len(),
                input_scale: chain.input_scale,
                fused: chain.fused,
                management: chain.management.clone(),
            },
            choices: compiled.choices.clone(),
            encryption: compiled.explain.encryption,
            program_sha256: id.hex(),
        };
        Interface::check(file)
    }

    /// Reads an interface file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Interface> {
        Interface::parse(path, &files::read(path, MAX_BYTES)?)
    }

    fn parse(path: &Path, bytes: &[u8]) -> anyhow::Result<Interface> {
        let wrong = || format!("{} is no interface file", path.display());
        Interface::check(serde_json::from_slice(bytes).with_context(wrong)?).with_context(wrong)
    }

    /// The bytes of the file.
    pub(crate) fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(&self.file)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn check(file: File) -> anyhow::Result<Interface> {
        let found = file.henge_interface;
        anyhow::ensure!(found == VERSION, "interface of version {found}, this program reads version {VERSION}");
        let params = CkksParams::try_from(file.params.clone())?;
        let placement = &file.placement;
        anyhow::ensure!(
            (1..=params.q().len()).contains(&placement.primes),
            "placement over {} primes, the parameters have {}",
            placement.primes,
            params.q().len()
        );
        for (kind, ports) in [("inputs", &file.inputs), ("outputs", &file.outputs)] {
            let count = ports.len();
            anyhow::ensure!((1..=MAX_PORTS).contains(&count), "{count} {kind}, expected 1 to {MAX_PORTS}");
            ports.iter().try_for_each(|port| port.check(&params))?;
        }
        let digest = protocol::Digest::from_hex(&file.program_sha256);
        let digest = digest.context("program_sha256 is not 64 hexadecimal digits")?;
        Ok(Interface { file, params, program: digest.into() })
    }

    pub(crate) fn params(&self) -> &CkksParams {
        &self.params
    }

    pub(crate) fn program(&self) -> ProgramId {
        self.program
    }

    pub(crate) fn model(&self) -> &str {
        &self.file.model
    }

    /// How inputs are encrypted.
    pub(crate) fn encryption(&self) -> Encryption {
        self.file.encryption
    }

    pub(crate) fn inputs(&self) -> &[Port] {
        &self.file.inputs
    }

    pub(crate) fn outputs(&self) -> &[Port] {
        &self.file.outputs
    }

    /// The program of a model on the primes and scales of this interface, which must be the one it was written for.
    pub(crate) fn compile(&self, graph: &graph::Graph) -> anyhow::Result<HeProgram> {
        let program = transforms::replay_with(graph, &self.chain(), &self.file.choices)?;
        let (found, expected) = (ProgramId::of(&program, &self.params)?, self.program);
        anyhow::ensure!(
            found == expected,
            "the model compiles to program {found}, the interface was written for {expected} (model {:?})",
            self.model()
        );
        Ok(program)
    }

    /// The same program under a mask drawn from the operating system, for tiles of so many ciphertexts; `None` where no room was left for one.
    pub(crate) fn compile_masked(&self, graph: &graph::Graph, tile: usize) -> anyhow::Result<Option<HeProgram>> {
        if !self.file.choices.masked {
            return Ok(None);
        }
        Ok(Some(transforms::replay_masked(graph, &self.chain(), &self.file.choices, tile, getrandom::u64)?))
    }

    fn chain(&self) -> Chain {
        let Placement { primes, input_scale, fused, management } = self.file.placement.clone();
        Chain {
            shape: self.params.shape(),
            q: self.params.q().iter().copied().take(primes).collect(),
            p: self.params.p().to_vec(),
            input_scale,
            fused,
            management,
        }
    }
}

impl Port {
    /// Numbers of one image.
    pub(crate) fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Refuses numbers outside of the range that the model was compiled for: they could outgrow the modulus unseen.
    pub(crate) fn check_numbers(&self, batch: &Batch) -> anyhow::Result<()> {
        let Some(Interval { low, high }) = self.range else { return Ok(()) };
        for (element, row) in batch.rows().enumerate() {
            if let Some(image) = row.iter().position(|x| !(low..=high).contains(x)) {
                let found = row.get(image).copied().unwrap_or_default();
                anyhow::bail!(
                    "{:?}: element {element} of image {image} is {found}, the model was compiled for {low} to {high}",
                    self.name
                );
            }
        }
        Ok(())
    }

    fn check(&self, params: &CkksParams) -> anyhow::Result<()> {
        let Port { name, shape, level, scale, range } = self;
        let elements = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|n| (1..=1 << 24).contains(n));
        anyhow::ensure!(elements.is_some(), "{name:?} has shape {shape:?}, expected 1 to 2^24 elements");
        let max = params.max_level();
        anyhow::ensure!(*level <= max, "{name:?} is at level {level}, the top level is {max}");
        if let Some(Interval { low, high }) = range {
            let sound = low <= high && low.is_finite() && high.is_finite();
            anyhow::ensure!(sound, "{name:?} has the range {low} to {high}");
        }
        let log_q = params.log_q_at(*level);
        anyhow::ensure!(scale.log2() < log_q, "{name:?} has scale {scale}, the modulus has {log_q:.1} bits");
        Ok(())
    }
}

/// The range of an input that only samples bound.
fn sampled_range(compiled: &Compiled, name: &str) -> Option<Interval> {
    let is_input = |node: &CircuitNode| matches!(&node.gate, Gate::Input { name: input } if input == name);
    let bound = compiled.ranges.get(compiled.circuit.nodes.iter().position(is_input)?)?.interval;
    Some(Interval::new(-bound, bound))
}

/// The literal with its primes written out.
fn with_primes(params: &CkksParams) -> CkksParamsLiteral {
    CkksParamsLiteral {
        q: ModulusChain::Primes(params.q().to_vec()),
        p: ModulusChain::Primes(params.p().to_vec()),
        ..params.literal().clone()
    }
}

/// What a file of parameters may hold.
#[derive(Debug)]
pub(crate) enum Either {
    /// The interface of a model.
    Interface(Box<Interface>),
    /// A bare literal, checked.
    Params(Box<CkksParams>),
}

impl Either {
    /// An interface or a literal from the bytes of a file; `path` is for messages.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> anyhow::Result<Either> {
        let wrong = || format!("{} holds no parameters", path.display());
        let value: serde_json::Value = serde_json::from_slice(bytes).with_context(wrong)?;
        if value.get("henge_interface").is_some() {
            return Ok(Either::Interface(Box::new(Interface::parse(path, bytes)?)));
        }
        let literal: CkksParamsLiteral = serde_json::from_value(value).with_context(wrong)?;
        Ok(Either::Params(Box::new(CkksParams::try_from(literal).with_context(wrong)?)))
    }
}

/// Parameters from an interface file or from a bare literal.
pub(crate) fn read_params(path: &Path) -> anyhow::Result<CkksParams> {
    Ok(match Either::parse(path, &files::read(path, MAX_BYTES)?)? {
        Either::Interface(interface) => interface.params,
        Either::Params(params) => *params,
    })
}
