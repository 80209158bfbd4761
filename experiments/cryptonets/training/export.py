"""Writes the layers of a network as ONNX (opset 13, f32, batch dimension symbolic), inputs 1x28x28 in [0, 1]."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write(layers, path, name, activation):
    """Saves the model and returns the layers as they were stored, in f64."""
    def activate(x, y, number):
        if activation == "square":
            return helper.make_node("Mul", [x, x], [y], name=f"square{number}")
        return helper.make_node("Relu", [x], [y], name=f"relu{number}")

    stored = {key: value.astype(np.float32) for key, value in layers.items()}
    nodes = [
        helper.make_node(
            "Conv", ["image", "conv1", "bias1"], ["maps"], name="conv1",
            kernel_shape=[5, 5], strides=[2, 2], pads=[1, 1, 0, 0],
        ),
        activate("maps", "maps_activated", 1),
    ]
    last = "maps_activated"
    if "conv2" in layers:
        window = dict(kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1], count_include_pad=1)
        nodes += [
            helper.make_node("AveragePool", [last], ["pooled"], name="pool1", **window),
            helper.make_node(
                "Conv", ["pooled", "conv2"], ["wide"], name="conv2", kernel_shape=[5, 5], strides=[2, 2]
            ),
            helper.make_node("AveragePool", ["wide"], ["wide_pooled"], name="pool2", **window),
        ]
        last = "wide_pooled"
    nodes += [
        helper.make_node("Flatten", [last], ["flat"], name="flatten", axis=1),
        helper.make_node("Gemm", ["flat", "dense1", "bias2"], ["hidden"], name="dense1", transB=1),
        activate("hidden", "hidden_activated", 2),
        helper.make_node("Gemm", ["hidden_activated", "dense2", "bias3"], ["logits"], name="dense2", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(value, key) for key, value in sorted(stored.items())],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="henge cryptonets training"
    )
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    return {key: value.astype(np.float64) for key, value in stored.items()}
