//! A server of the smallest model, for tests.

use he_ir::{HeProgramBuilder, Op};
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, RequiredSecurity};

use crate::auth::Principal;
use crate::{Access, Limits, Model, ModelOptions, ServerConfig, Transport};

/// Two numbers come back twice as large.
pub(crate) fn model() -> Model {
    let mut literal = CkksParamsLiteral::new(10, ModulusChain::Bits(vec![30]), ModulusChain::Bits(vec![]), 20.0);
    literal.security = RequiredSecurity::Insecure;
    let params = CkksParams::try_from(literal).unwrap();
    let mut b = HeProgramBuilder::new("double", params.q().to_vec());
    let x = b.input("x", vec![2], Level::new(0), params.scale()).unwrap();
    let y = b.push(Op::Add, &[x, x], "double").unwrap();
    b.output("y", y);
    Model::new("double", &b.finish().unwrap(), params, ModelOptions::default()).unwrap()
}

/// Plaintext, for anybody.
pub(crate) fn config() -> ServerConfig {
    ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics: None,
        transport: Transport::InsecureLoopback,
        access: Access { anybody: true, ..Access::default() },
        limits: Limits::default(),
    }
}

pub(crate) fn principal() -> Principal {
    config().access.authenticate(&tonic::metadata::MetadataMap::new(), None).unwrap()
}
