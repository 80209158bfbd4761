#!/usr/bin/env python3
"""Makes the frozen ONNX files beside it: models that import, with input and output, and models that are refused.

Recipe (files were made with onnx 1.23.2, numpy 2.4.6):

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2 numpy==2.4.6
    venv/bin/python graph/testdata/onnx/make.py

Weights and inputs come from a seeded generator, so the same versions give the same bytes. Outputs are computed by
onnx's own reference evaluator, not by this project.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

HERE = Path(__file__).parent
RNG = np.random.default_rng(20260101)
FLOAT = TensorProto.FLOAT


def weights(*dims):
    return RNG.uniform(-1, 1, dims).astype(np.float32)


def tensor(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def value(name, dims, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, dims)


def model(name, nodes, inputs, outputs, initialisers, opset=13, ir_version=8, domain=""):
    graph = helper.make_graph(nodes, name, inputs, outputs, initialisers)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, opset)], producer_name="make.py")
    made.ir_version = ir_version
    return made


def keep(made, batch):
    """Writes the model, a random input of `batch` images, and the output that onnx computes."""
    name = made.graph.name
    onnx.checker.check_model(made)
    initial = {t.name for t in made.graph.initializer}
    (given,) = [i for i in made.graph.input if i.name not in initial]
    dims = [batch] + [d.dim_value for d in given.type.tensor_type.shape.dim][1:]
    x = weights(*dims)
    runnable = onnx.ModelProto()
    runnable.CopyFrom(made)
    y = ReferenceEvaluator(runnable).run(None, {given.name: x})[0]
    (HERE / f"{name}.onnx").write_bytes(made.SerializeToString(deterministic=True))
    (HERE / f"{name}.input.pb").write_bytes(tensor("input", x).SerializeToString(deterministic=True))
    (HERE / f"{name}.output.pb").write_bytes(tensor("output", y).SerializeToString(deterministic=True))


def small_cryptonets():
    """Padded strided convolution, square, dense, square, dense: symbolic batch, biases inside Conv and Gemm."""
    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["conv"], "conv", strides=[2, 2], pads=[0, 0, 1, 1]),
        helper.make_node("Mul", ["conv", "conv"], ["square1"], "square1"),
        helper.make_node("Flatten", ["square1"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "w2", "b2"], ["dense1"], "dense1", transB=1),
        helper.make_node("Mul", ["dense1", "dense1"], ["square2"], "square2"),
        helper.make_node("Gemm", ["square2", "w3", "b3"], ["logits"], "dense2", alpha=0.5, beta=2.0),
    ]
    initial = [
        tensor("w1", weights(2, 1, 3, 3)), tensor("b1", weights(2)), tensor("w2", weights(4, 18)),
        tensor("b2", weights(4)), tensor("w3", weights(4, 3)), tensor("b3", weights(3)),
    ]
    keep(model("small_cryptonets", nodes, [value("image", ["N", 1, 6, 6])], [value("logits", ["N", 3])], initial), 3)


def old_exporter():
    """As TensorFlow's exporter wrote in 2020: batch 4 declared and reshaped to, initialisers listed as inputs, NHWC."""
    initial = [
        tensor("shape1", np.array([4, 1, 6, 6], np.int64)), tensor("w1", weights(2, 1, 3, 3)),
        tensor("shape2", np.array([-1, 18], np.int64)), tensor("w2", weights(18, 3)), tensor("b2", weights(3)),
    ]
    nodes = [
        helper.make_node("Reshape", ["input:0", "shape1"], ["nchw:0"], "to_nchw"),
        helper.make_node("Conv", ["nchw:0", "w1"], ["conv:0"], "conv", auto_pad="SAME_UPPER", strides=[2, 2]),
        helper.make_node("Transpose", ["conv:0"], ["nhwc:0"], "to_nhwc", perm=[0, 2, 3, 1]),
        helper.make_node("Identity", ["nhwc:0"], ["same:0"], "identity"),
        helper.make_node("Mul", ["same:0", "same:0"], ["square:0"], "activation/mul"),
        helper.make_node("Reshape", ["square:0", "shape2"], ["flat:0"], "flat"),
        helper.make_node("MatMul", ["flat:0", "w2"], ["matmul:0"], "dense/MatMul"),
        helper.make_node("Add", ["matmul:0", "b2"], ["logits:0"], "dense/BiasAdd"),
    ]
    listed = [value(t.name, list(t.dims), t.data_type) for t in initial]
    made = model(
        "old_exporter", nodes, [value("input:0", [4, 6, 6, 1])] + listed, [value("logits:0", [4, 3])], initial, 8, 3
    )
    keep(made, 4)


def every_operator(name, opset):
    """Everything supported, once, in one chain; Pad as an attribute (opset 10) or as operands (opset 13 and 18).

    Batch normalisation from opset 14 on only: before that onnx's evaluator computes the statistics of training.
    """
    initial = [
        tensor("scale", weights(3)), tensor("shift", weights(3)), tensor("mean", weights(3)),
        tensor("variance", weights(3) + np.float32(1.5)), tensor("w", weights(3, 1, 2, 2)),
        tensor("c", weights(3, 1, 1)), tensor("d", weights(1, 9, 3)), tensor("shape", np.array([0, 3, -1], np.int64)),
    ]
    half = helper.make_node("Constant", [], ["half"], "half", value=tensor("half", np.array(0.5, np.float32)))
    if opset < 11:
        pad = helper.make_node("Pad", ["pooled"], ["padded"], "pad", pads=[0, 0, 1, 0, 0, 0, 0, 1], value=0.25)
    elif opset < 18:
        initial += [tensor("pads", np.array([0, 0, 1, 0, 0, 0, 0, 1], np.int64)), tensor("fill", np.float32(0.25))]
        pad = helper.make_node("Pad", ["pooled", "pads", "fill"], ["padded"], "pad", mode="constant")
    else:
        initial += [tensor("pads", np.array([1, 0, 0, 1], np.int64)), tensor("axes", np.array([2, -1], np.int64))]
        initial += [tensor("fill", np.float32(0.25))]
        pad = helper.make_node("Pad", ["pooled", "pads", "fill", "axes"], ["padded"], "pad")
    nodes = [
        helper.make_node("BatchNormalization", ["x", "scale", "shift", "mean", "variance"], ["bn"], "bn", epsilon=1e-3),
        helper.make_node("Conv", ["bn" if opset >= 14 else "x", "w"], ["conv"], "conv", group=3, dilations=[2, 1], kernel_shape=[2, 2]),
        helper.make_node(
            "AveragePool", ["conv"], ["pooled"], "pool", kernel_shape=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1
        ),
        pad,
        helper.make_node("Neg", ["padded"], ["negative"], "neg"),
        helper.make_node("Sub", ["negative", "c"], ["sub"], "sub"),
        half,
        helper.make_node("Mul", ["sub", "half"], ["halved"], "halve"),
        helper.make_node("Reshape", ["halved", "shape"], ["rows"], "reshape"),
        helper.make_node("Transpose", ["rows"], ["columns"], "transpose", perm=[0, 2, 1]),
        helper.make_node("Transpose", ["columns"], ["back"], "transpose_back", perm=[0, 2, 1]),
        helper.make_node("Identity", ["back"], ["same"], "identity"),
        helper.make_node("MatMul", ["same", "d2"], ["product"], "matmul"),
        helper.make_node("Add", ["product", "product"], ["sum"], "add"),
        helper.make_node("Flatten", ["sum"], ["y"], "flatten", axis=1),
    ]
    if opset < 14:
        nodes = nodes[1:]
        initial = initial[4:]
    # 5x5 -> conv 3x4 -> pool 3x4 -> pad 4x5
    initial = [t for t in initial if t.name != "d"] + [tensor("d2", weights(1, 20, 2))]
    keep(model(name, nodes, [value("x", ["N", 3, 5, 5])], [value("y", ["N", 6])], initial, opset), 2)


def every_nonlinearity():
    """The operators that are not linear, and the reductions, in one chain (ArgMax gives integers: node tests have it)."""
    node = helper.make_node
    initial = [
        tensor("w", weights(4, 2, 3, 3)), tensor("low", np.array(0, np.float32)), tensor("six", np.array(6, np.float32)),
        tensor("minus", np.array(-0.25, np.float32)), tensor("two", np.array([2], np.float32)),
        tensor("three", np.full((1,), 3, np.float32)), tensor("last", np.array([-1], np.int64)),
        tensor("one", np.array([1], np.int64)),
    ]
    nodes = [
        node("Conv", ["x", "w"], ["conv"], "conv", pads=[1, 0, 0, 1], group=2),
        node("Relu", ["conv"], ["relu"], "relu"),
        node("Clip", ["conv", "low", "six"], ["relu6"], "relu6"),
        node("Clip", ["conv", "minus"], ["clip"], "clip"),
        node("LeakyRelu", ["conv"], ["leaky"], "leaky", alpha=0.125),
        node("Max", ["relu", "clip", "leaky"], ["max"], "max"),
        node("Min", ["max", "relu6", "two"], ["min"], "min"),
        node("Concat", ["min", "leaky"], ["both"], "concat", axis=1),
        node("MaxPool", ["both"], ["pooled"], "maxpool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1],
             dilations=[1, 2], ceil_mode=1),
        node("Sigmoid", ["pooled"], ["sigmoid"], "sigmoid"),
        node("Tanh", ["pooled"], ["tanh"], "tanh"),
        node("Exp", ["tanh"], ["exp"], "exp"),
        node("Div", ["sigmoid", "exp"], ["div"], "div"),
        node("Pow", ["div", "three"], ["pow"], "pow"),
        node("Dropout", ["pow"], ["dropout"], "dropout"),
        node("ReduceMax", ["dropout"], ["rows"], "reducemax", axes=[3], keepdims=0),
        node("ReduceMean", ["rows"], ["means"], "reducemean", axes=[-1], keepdims=1),
        node("Sum", ["rows", "means", "rows"], ["sum"], "sum"),
        node("Softmax", ["sum"], ["softmax"], "softmax", axis=1),
        node("GlobalAveragePool", ["dropout"], ["global"], "global"),
        node("GlobalMaxPool", ["dropout"], ["largest"], "globalmax"),
        node("Squeeze", ["global", "last"], ["squeezed"], "squeeze"),
        node("Add", ["softmax", "squeezed"], ["add"], "add"),
        node("Unsqueeze", ["add", "one"], ["wider"], "unsqueeze"),
        node("ReduceSum", ["wider", "last"], ["y"], "reducesum"),
        node("Add", ["y", "largest"], ["z"], "end"),
    ]
    keep(model("every_nonlinearity", nodes, [value("x", ["N", 4, 6, 5])], [value("z", ["N", 8, 8, 1])], initial, 13), 2)


def refused():
    """One model per refusal; the messages stand in refused.txt."""
    x, y = value("x", ["N", 1, 4, 4]), value("y", None)
    w = tensor("w", np.ones((1, 1, 2, 2), np.float32))

    def put(name, nodes, initial=(), inputs=(x,), outputs=(y,), opset=13):
        made = model(name, list(nodes), list(inputs), list(outputs), list(initial), opset)
        return save(name, made)

    def save(name, made):
        (HERE / "refused" / f"{name}.onnx").write_bytes(made.SerializeToString(deterministic=True))

    node = helper.make_node
    put("unknown_operator", [node("Softplus", ["x"], ["y"], "softplus")])
    put("unknown_domain", [node("Conv", ["x", "w"], ["y"], "conv", domain="com.example")], [w])
    put("unknown_attribute", [node("Conv", ["x", "w"], ["y"], "conv", flavour=1)], [w])
    put("ceil_mode",
        [node("AveragePool", ["x"], ["y"], "pool", kernel_shape=[2, 2], ceil_mode=1, count_include_pad=1)])
    put("pool_of_border", [node("MaxPool", ["x"], ["y"], "pool", kernel_shape=[1, 1], pads=[1, 0, 0, 0])])
    put("pool_indices", [node("MaxPool", ["x"], ["y", "i"], "pool", kernel_shape=[2, 2])])
    put("training_dropout", [node("Dropout", ["x", "", "t"], ["y"], "dropout")],
        [tensor("t", np.array(True))])
    put("mean_of_batch", [node("ReduceMean", ["x"], ["y"], "mean", axes=[0])])
    put("softmax_of_batch", [node("Softmax", ["x"], ["y"], "softmax", axis=0)])
    put("concat_of_batch", [node("Concat", ["x", "x"], ["y"], "concat", axis=0)])
    put("concat_of_different", [node("Concat", ["x", "z"], ["y"], "concat", axis=1)],
        inputs=[x, value("z", ["N", 1, 4, 3])])
    put("axis_twice", [node("ReduceSum", ["x", "a"], ["y"], "sum")], [tensor("a", np.array([1, -3], np.int64))])
    put("axis_outside", [node("ArgMax", ["x"], ["y"], "argmax", axis=4)])
    put("squeeze_of_more", [node("Squeeze", ["x", "a"], ["y"], "squeeze")], [tensor("a", np.array([2], np.int64))])
    put("batch_behind", [node("Unsqueeze", ["x", "a"], ["y"], "unsqueeze")], [tensor("a", np.array([0], np.int64))])
    put("computed_clip", [node("Clip", ["x", "x"], ["y"], "clip")])
    put("reflect_pad", [node("Pad", ["x", "p"], ["y"], "pad", mode="reflect")], [tensor("p", np.zeros(8, np.int64))])
    put("negative_pad", [node("Pad", ["x", "p"], ["y"], "pad")], [tensor("p", np.full(8, -1, np.int64))])
    put("batch_pad", [node("Pad", ["x", "p"], ["y"], "pad")], [tensor("p", np.ones(8, np.int64))])
    put("transposed_operand", [node("Gemm", ["x", "w"], ["y"], "gemm", transA=1)], [tensor("w", weights(16, 2))],
        [value("x", ["N", 16])])
    put("training_batch_norm",
        [node("BatchNormalization", ["x", "a", "a", "a", "a"], ["y", "m", "v"], "bn", training_mode=1)],
        [tensor("a", np.ones(1, np.float32))], opset=15)
    put("batch_moves", [node("Transpose", ["x"], ["y"], "transpose")])
    put("batch_reshaped", [node("Reshape", ["x", "s"], ["y"], "reshape")], [tensor("s", np.array([4, -1], np.int64))])
    put("computed_shape", [node("Identity", ["x"], ["s"]), node("Reshape", ["x", "s"], ["y"], "reshape")])
    put("channels_differ", [node("Conv", ["x", "w"], ["y"], "conv")], [tensor("w", weights(1, 2, 2, 2))])
    put("shapes_differ", [node("Add", ["x", "c"], ["y"], "add")], [tensor("c", weights(3))])
    put("integer_operand", [node("Add", ["x", "c"], ["y"], "add")], [tensor("c", np.ones(4, np.int64))])
    put("half_precision", [node("Add", ["x", "c"], ["y"], "add")], [tensor("c", np.ones(4, np.float16))])
    put("not_a_number", [node("Add", ["x", "c"], ["y"], "add")], [tensor("c", np.array([np.nan], np.float32))])
    put("undefined_operand", [node("Add", ["x", "nowhere"], ["y"], "add")])
    put("defined_twice", [node("Neg", ["x"], ["y"], "neg1"), node("Neg", ["x"], ["y"], "neg2")])
    put("missing_operand", [node("MatMul", ["x"], ["y"], "matmul")])
    put("new_opset", [node("Neg", ["x"], ["y"], "neg")], opset=1000)
    put("integer_input", [node("Neg", ["x"], ["y"], "neg")], inputs=[value("x", ["N", 4], TensorProto.INT64)])
    put("open_extent", [node("Neg", ["x"], ["y"], "neg")], inputs=[value("x", ["N", 4, "width"])])
    put("scalar_input", [node("Neg", ["x"], ["y"], "neg")], inputs=[value("x", [])])
    put("two_batches", [node("Add", ["x", "z"], ["y"], "add")], inputs=[value("x", [2, 4]), value("z", [3, 4])])
    put("huge_pool", [node("AveragePool", ["x"], ["y"], "pool", kernel_shape=[2**40, 1])])
    put("unknown_output", [node("Neg", ["x"], ["z"], "neg")])
    wrong = onnx.TensorProto(name="w", data_type=FLOAT, dims=[1, 1, 2, 2], raw_data=b"\0" * 12)
    put("short_tensor", [node("Conv", ["x", "w"], ["y"], "conv")], [wrong])
    huge = onnx.TensorProto(name="w", data_type=FLOAT, dims=[2**40, 2**40], raw_data=b"\0" * 12)
    put("huge_tensor", [node("Conv", ["x", "w"], ["y"], "conv")], [huge])
    outside = onnx.TensorProto(name="w", data_type=FLOAT, dims=[1, 1, 2, 2], data_location=TensorProto.EXTERNAL)
    outside.external_data.add(key="location", value="/etc/passwd")
    put("external_data", [node("Conv", ["x", "w"], ["y"], "conv")], [outside])
    put("control_flow", [node("If", ["x"], ["y"], "if", then_branch=helper.make_graph([], "empty", [], []))])
    save("no_graph", onnx.ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 13)]))


if __name__ == "__main__":
    small_cryptonets()
    old_exporter()
    every_operator("every_operator_10", 10)
    every_operator("every_operator_13", 13)
    every_operator("every_operator_18", 18)
    refused()
    every_nonlinearity()
