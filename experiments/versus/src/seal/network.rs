//! A network of linear layers and squares over SEAL.

use anyhow::Context;
use cxx::UniquePtr;
use graph::affine::AffineMap;
use he_ir::LinearMap;

use super::bridge;

/// How the linear layers are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By SEAL's documented interface alone.
    Documented = 0,
    /// By SEAL's own kernels on the limbs, as HE-Transformer did.
    OwnKernels = 1,
    /// By AVX2 code on SEAL's buffers.
    HandTuned = 2,
}

/// What happens to every ciphertext after a linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Square = 0,
    Relinearize = 1,
    Rescale = 2,
    DropPrime = 3,
}

/// Parameters, keys, weights and ciphertexts, all on SEAL's side.
pub(crate) struct Network {
    there: UniquePtr<bridge::Network>,
    scale: f64,
}

impl Network {
    /// SEAL over these primes, the special one last; inputs are encoded at `scale`.
    pub(crate) fn new(log_n: u32, primes: &[u64], scale: f64, threads: usize) -> anyhow::Result<Network> {
        let there = bridge::make_network(log_n, primes, threads).context("SEAL refuses the parameters")?;
        Ok(Network { there, scale })
    }

    /// A linear layer of real weights.
    pub(crate) fn add_affine(&mut self, map: &AffineMap, weight_scale: f64) -> anyhow::Result<()> {
        self.there.pin_mut().add_layer(map.bias(), weight_scale)?;
        for group in map.groups() {
            let block = map.blocks().get(group.block).context("a group without its block")?;
            self.there.pin_mut().add_group(&group.inputs, &group.outputs, block.weights())?;
        }
        Ok(())
    }

    /// A linear layer as Henge's compiler rounded it.
    pub(crate) fn add_linear(&mut self, map: &LinearMap) -> anyhow::Result<()> {
        let scale = map.weight_scale().get();
        self.there.pin_mut().add_layer(map.bias(), scale)?;
        for group in map.groups().iter() {
            let block = map.blocks().get(group.block).context("a group without its block")?;
            let weights: Vec<f64> = block.weights().iter().map(|w| *w as f64 / scale).collect();
            self.there.pin_mut().add_group(group.inputs, group.outputs, &weights)?;
        }
        Ok(())
    }

    /// A step after the last layer.
    pub(crate) fn add_step(&mut self, step: Step) -> anyhow::Result<()> {
        Ok(self.there.pin_mut().add_step(step as u8)?)
    }

    /// Encrypts one ciphertext per row of `images` numbers.
    pub(crate) fn encrypt(&mut self, rows: &[f64], images: usize) -> anyhow::Result<()> {
        let scale = self.scale;
        Ok(self.there.pin_mut().encrypt(rows, images, scale)?)
    }

    /// From the encrypted input to the encrypted output.
    pub(crate) fn run(&mut self, way: Way) -> anyhow::Result<()> {
        Ok(self.there.pin_mut().run(way as u8)?)
    }

    /// The outputs, a row of `images` numbers each.
    pub(crate) fn decrypt(&mut self, images: usize) -> anyhow::Result<Vec<f64>> {
        Ok(self.there.pin_mut().decrypt(images)?)
    }
}
