"""What the reader of Keras files gives and what it refuses. The files are written here, as Keras 3 lays them out."""

import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import convert
import mobile
import onnx_file

GROUP = "mobilenetv2_1.00_160"
# One inverted residual that expands, at width 8, between stem and head.
BLOCKS = [(1, 8, 1, 1, 3), (2, 8, 1, 1, 3)]


def layer(file, name, **tensors):
    for key, array in tensors.items():
        file[f"model_weights/{GROUP}/{name}/{key}"] = array


def norm(channels, first):
    parts = ("gamma", "beta", "moving_mean", "moving_variance")
    return {part: np.full(channels, first + i, "<f4") for i, part in enumerate(parts)}


def numbered(*shape):
    return np.arange(np.prod(shape), dtype="<f4").reshape(shape)


class KerasFile(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "weights.h5"

    def tearDown(self):
        self.folder.cleanup()

    def written(self, **more):
        """A network of stem, blocks and head; what `more` names is written beside it."""
        with h5py.File(self.path, "w") as file:
            convolutions = [
                ("Conv1", (3, 3, 3, 4)),
                ("expanded_conv_depthwise", (3, 3, 4, 1)),
                ("expanded_conv_project", (1, 1, 4, 8)),
                ("block_1_expand", (1, 1, 8, 16)),
                ("block_1_depthwise", (3, 3, 16, 1)),
                ("block_1_project", (1, 1, 16, 8)),
                ("Conv_1", (1, 1, 8, 12)),
            ]
            names = {"Conv1": "bn_Conv1", "Conv_1": "Conv_1_bn"}
            for number, (name, shape) in enumerate(convolutions):
                channels = shape[2] if shape[3] == 1 else shape[3]
                layer(file, name, kernel=numbered(*shape))
                layer(file, names.get(name, f"{name}_BN"), **norm(channels, 10 * number))
            for name, array in more.items():
                file[f"model_weights/{name}"] = array
        return convert.KerasLayers(self.path, GROUP)

    def refused(self, word, make):
        with self.assertRaises(SystemExit) as caught:
            make()
        self.assertIn(word, str(caught.exception))

    def test_kernels_are_turned_to_out_in_height_width(self):
        layers = self.written()
        stem = layers.kernel("stem")
        self.assertEqual(stem.shape, (4, 3, 3, 3))
        for row, column, channel, out in np.ndindex(3, 3, 3, 4):
            self.assertEqual(stem[out, channel, row, column], numbered(3, 3, 3, 4)[row, column, channel, out])
        depthwise = layers.kernel("block0/depthwise", depthwise=True)
        self.assertEqual(depthwise.shape, (4, 1, 3, 3))
        for row, column, channel in np.ndindex(3, 3, 4):
            self.assertEqual(depthwise[channel, 0, row, column], numbered(3, 3, 4, 1)[row, column, channel, 0])

    def test_every_place_finds_its_layer_and_its_normalisation(self):
        layers = self.written()
        places = ["stem", "block0/depthwise", "block0/project", "block1/expand", "block1/depthwise", "block1/project", "head"]
        for number, place in enumerate(places):
            scale, shift, mean, variance = layers.norm(place)
            self.assertEqual([scale[0], shift[0], mean[0], variance[0]], [10 * number + i for i in range(4)], place)

    def test_a_whole_network_uses_every_tensor_once(self):
        layers = self.written()
        network = onnx_file.Network("small", [3, 8, 8], "this test")
        last = mobile.pool(network, mobile.write(network, BLOCKS, layers, 1e-3))
        layers.used.finish()
        self.assertGreater(len(network.file(last, 12)), 1000)
        self.refused("or it was taken before", lambda: layers.kernel("stem"))

    def test_what_nothing_uses_is_refused(self):
        layers = self.written(**{"other/kernel": numbered(2)})
        network = onnx_file.Network("small", [3, 8, 8], "this test")
        mobile.write(network, BLOCKS, layers, 1e-3)
        self.refused("other/kernel", layers.used.finish)

    def test_what_is_missing_is_named(self):
        self.refused("block_2_expand/kernel", lambda: self.written().kernel("block2/expand"))

    def test_tensors_that_are_no_weights_are_refused(self):
        self.refused("int64", lambda: self.written(**{"steps": np.arange(3)}))
        self.refused("float64", lambda: self.written(**{"wide": np.zeros(3)}))
        with h5py.File(self.path, "w") as file:
            # Of no size on disk: nothing is written to it.
            file.create_dataset("model_weights/huge", shape=(1 << 40,), dtype="<f4", chunks=(1 << 20,))
        self.refused("expected at most", lambda: convert.KerasLayers(self.path, GROUP))

    def test_files_that_are_none_are_refused(self):
        with h5py.File(self.path, "w") as file:
            file["weights/kernel"] = numbered(2)
        self.refused("no group model_weights", lambda: convert.KerasLayers(self.path, GROUP))
        self.path.write_bytes(b"no HDF5 at all")
        with self.assertRaises(OSError):
            convert.KerasLayers(self.path, GROUP)


if __name__ == "__main__":
    unittest.main()
