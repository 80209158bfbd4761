//! What a client is told about a model.

use he_ckks::CkksContext;
use he_params::{CkksParams, Level, Packing, Scale};
use he_rlwe::wire::{params_from_bytes, params_to_bytes};

use crate::error::at_most;
use crate::{Digest, PROTOCOL, ProtocolError, check_protocol, limits, v1};

/// A value that enters or leaves a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name in the model.
    pub name: String,
    /// Shape of one image.
    pub shape: Vec<usize>,
    /// Level of its ciphertexts.
    pub level: Level,
    /// Scale of its ciphertexts.
    pub scale: Scale,
    /// Lowest and highest number that an input was compiled for.
    pub range: Option<(f64, f64)>,
}

impl Port {
    /// Numbers of one image.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    fn check(port: v1::Port, params: &CkksParams) -> Result<Self, ProtocolError> {
        at_most("bytes of a port's name", port.name.len(), limits::NAME_BYTES)?;
        at_most("dimensions", port.shape.len(), limits::DIMENSIONS)?;
        let value = |field, found: String| ProtocolError::Value { field, found };
        let elements = port.shape.iter().try_fold(1u64, |n, &d| n.checked_mul(u64::from(d)));
        if !elements.is_some_and(|n| (1..=limits::ELEMENTS as u64).contains(&n)) {
            return Err(value("shape", format!("{:?}, expected 1 to {} elements", port.shape, limits::ELEMENTS)));
        }
        let (level, scale) = place(params, port.level, port.scale)?;
        let range = match (port.low, port.high) {
            (Some(low), Some(high)) if low.is_finite() && high.is_finite() && low <= high => Some((low, high)),
            (None, None) => None,
            (low, high) => return Err(value("range", format!("{low:?} to {high:?}"))),
        };
        let shape = port.shape.iter().map(|&d| d as usize).collect();
        Ok(Self { name: port.name, shape, level, scale, range })
    }
}

/// A level and a scale that the parameters have room for.
pub(crate) fn place(params: &CkksParams, level: u32, scale: f64) -> Result<(Level, Scale), ProtocolError> {
    let max = params.max_level();
    let found = u8::try_from(level).ok().map(Level::new).filter(|level| *level <= max);
    let level =
        found.ok_or(ProtocolError::TooMuch { field: "level", found: u64::from(level), max: u64::from(max.get()) })?;
    let log_q = params.log_q_at(level);
    let scale = Scale::new(scale).ok().filter(|scale| scale.log2() < log_q).ok_or_else(|| ProtocolError::Value {
        field: "scale",
        found: format!("{scale}, expected a positive number below a modulus of {log_q:.1} bits"),
    })?;
    Ok((level, scale))
}

/// Everything that a client needs to know of a model; no weight is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Name of the model.
    pub model: String,
    /// Digest of the program.
    pub program: Digest,
    /// Parameters, through every check of [`CkksParams`]: a server cannot talk a client into weak ones unseen.
    pub params: CkksParams,
    /// How images lie in ciphertexts.
    pub packing: Packing,
    /// What is encrypted.
    pub inputs: Vec<Port>,
    /// What comes back.
    pub outputs: Vec<Port>,
    /// Whether the program needs a relinearization key.
    pub relinearizes: bool,
    /// Operations that the client computes on decrypted numbers; where there is none, none may be asked for.
    pub refreshes: usize,
    /// Most ciphertexts of one request, and of its answer.
    pub tile_values: usize,
    /// Whether returned ciphertexts are made fresh under the client's public key.
    pub wants_public_key: bool,
}

impl Description {
    /// Images that one batch has room for.
    pub fn capacity(&self) -> usize {
        self.packing.images(self.params.slots())
    }

    /// Parameters made ready.
    ///
    /// # Errors
    /// As [`CkksContext::new`].
    pub fn context(&self) -> Result<std::sync::Arc<CkksContext>, he_ckks::CkksError> {
        CkksContext::new(self.params.clone())
    }
}

impl TryFrom<v1::Description> for Description {
    type Error = ProtocolError;

    fn try_from(d: v1::Description) -> Result<Self, ProtocolError> {
        check_protocol(d.protocol)?;
        at_most("bytes of the model's name", d.model.len(), limits::NAME_BYTES)?;
        at_most("bytes of parameters", d.parameters.len(), limits::PARAMETERS_BYTES)?;
        let packing = match d.packing() {
            v1::Packing::Batch => Packing::Batch,
            v1::Packing::Complex => Packing::Complex,
            v1::Packing::Unspecified => {
                return Err(ProtocolError::Value { field: "packing", found: d.packing.to_string() });
            }
        };
        let params = params_from_bytes(&d.parameters)?;
        let tile_values = d.tile_values as usize;
        at_most("ciphertexts of a request", tile_values, limits::TILE_VALUES)?;
        if tile_values == 0 {
            return Err(ProtocolError::Missing { field: "ciphertexts of a request" });
        }
        let ports = |field, ports: Vec<v1::Port>| {
            at_most(field, ports.len(), limits::PORTS)?;
            if ports.is_empty() {
                return Err(ProtocolError::Missing { field });
            }
            ports.into_iter().map(|port| Port::check(port, &params)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            program: Digest::required("program", &d.program)?,
            packing,
            inputs: ports("inputs", d.inputs)?,
            outputs: ports("outputs", d.outputs)?,
            relinearizes: d.relinearizes,
            refreshes: d.refreshes as usize,
            tile_values,
            wants_public_key: d.wants_public_key,
            model: d.model,
            params,
        })
    }
}

impl From<&Description> for v1::Description {
    fn from(d: &Description) -> Self {
        let port = |port: &Port| v1::Port {
            name: port.name.clone(),
            shape: port.shape.iter().map(|&d| u32::try_from(d).unwrap_or(u32::MAX)).collect(),
            level: u32::from(port.level.get()),
            scale: port.scale.get(),
            low: port.range.map(|range| range.0),
            high: port.range.map(|range| range.1),
        };
        Self {
            protocol: PROTOCOL,
            model: d.model.clone(),
            program: d.program.0.to_vec(),
            parameters: params_to_bytes(&d.params),
            packing: match d.packing {
                Packing::Batch => v1::Packing::Batch,
                Packing::Complex => v1::Packing::Complex,
                _ => v1::Packing::Unspecified,
            } as i32,
            inputs: d.inputs.iter().map(port).collect(),
            outputs: d.outputs.iter().map(port).collect(),
            relinearizes: d.relinearizes,
            refreshes: u32::try_from(d.refreshes).unwrap_or(u32::MAX),
            tile_values: u32::try_from(d.tile_values).unwrap_or(u32::MAX),
            wants_public_key: d.wants_public_key,
        }
    }
}
