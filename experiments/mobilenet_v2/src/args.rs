//! The command line.

use clap::{Parser, ValueEnum};
use parties::Options;

/// MobileNetV2 and its like on encrypted photos, or at any width and resolution with seeded weights: a server computes the linear layers, a
/// client the activations, over TLS.
///
/// Exits with 1 when an encrypted output is off by more than 1e-2 of the range of the clear ones.
#[derive(Clone, Debug, Parser)]
#[command(name = "mobilenet_v2", version)]
pub(crate) struct Args {
    /// Network to run
    #[arg(long, value_enum, default_value_t = Network::Seeded)]
    pub(crate) network: Network,

    /// Width of the seeded network
    #[arg(long, default_value_t = 0.35)]
    pub(crate) width: f64,

    /// Rows and columns of the seeded network's images, a multiple of 32
    #[arg(long, default_value_t = 96, value_parser = clap::value_parser!(u16).range(32..=1024))]
    pub(crate) resolution: u16,

    /// Seed of the seeded network's weights and images
    #[arg(long, default_value_t = 1)]
    pub(crate) weights_seed: u64,

    /// Photos to look at; the seeded network takes seeded images
    #[arg(long, value_enum, default_value_t = Set::Labelled)]
    pub(crate) photos: Set,

    /// Number of images, the first ones [default: all photos; 8 of the seeded network]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) images: Option<u32>,

    /// Images in one batch, two to a slot [default: 4096 of the seeded network, else as many as there are photos]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) batch_size: Option<u32>,

    /// Only say what the network says in the clear
    #[arg(long)]
    pub(crate) clear: bool,

    #[command(flatten)]
    pub(crate) options: Options,
}

/// A network by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Network {
    /// The published topology with weights drawn at random: for cost, not for sense
    Seeded,
    /// MobileNetV2 1.0, 160 x 160, trained, 19 breeds of dogs
    DogBreeds,
    /// EfficientNet-Lite0, 224 x 224, trained, 1000 classes of ImageNet
    EfficientnetLite0,
    /// MobileNetV2 1.0, 224 x 224, trained, without a class layer: 1280 features
    MobilenetV2Features,
}

/// A set of photos by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Set {
    /// 20 photos with ImageNet's class
    Labelled,
    /// 100 photos without
    Unlabelled,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds() {
        Args::command().debug_assert();
        let args = Args::parse_from(["mobilenet_v2", "--network", "efficientnet-lite0"]);
        assert_eq!((args.network, args.width, args.resolution), (Network::EfficientnetLite0, 0.35, 96));
    }

    #[test]
    fn out_of_range_is_refused() {
        let wrong = [["--resolution", "16"], ["--images", "0"], ["--network", "other"]];
        for wrong in wrong {
            assert!(Args::try_parse_from(["mobilenet_v2"].iter().chain(&wrong)).is_err(), "{wrong:?}");
        }
    }
}
