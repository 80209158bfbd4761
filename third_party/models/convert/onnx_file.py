"""Writes a network as ONNX: opset 13, f32, batch dimension symbolic.

An ONNX file is one protocol-buffer message; the few fields that a network of convolutions needs are written here, with the
numbers of `onnx/onnx.proto` of the ONNX project. The same network gives the same bytes.
"""

import struct

import numpy as np

FLOAT, INT64 = 1, 7
OPSET, IR_VERSION = 13, 8


def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(field, body):
    body = body.encode() if isinstance(body, str) else body
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _int(field, value):
    return _varint(field << 3) + _varint(value)


def _tensor(name, array):
    kind, numbers = (INT64, array.astype("<i8")) if array.dtype.kind == "i" else (FLOAT, array.astype("<f4"))
    dims = b"".join(_int(1, extent) for extent in array.shape)
    return dims + _int(2, kind) + _bytes(8, name) + _bytes(9, numbers.tobytes())


def _attribute(name, value):
    match value:
        case int():
            return _bytes(1, name) + _int(3, value) + _int(20, 2)
        case float():
            return _bytes(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", value) + _int(20, 1)
        case str():
            return _bytes(1, name) + _bytes(4, value) + _int(20, 3)
        case _:
            return _bytes(1, name) + b"".join(_int(8, item) for item in value) + _int(20, 7)


def _value(name, dims):
    """A float tensor; an extent is a number or the name of one."""
    axes = b"".join(_bytes(1, _int(1, dim) if isinstance(dim, int) else _bytes(2, dim)) for dim in dims)
    return _bytes(1, name) + _bytes(2, _bytes(1, _int(1, FLOAT) + _bytes(2, axes)))


class Network:
    """A network being written down, one node after the other."""

    def __init__(self, name, image, source):
        self.name, self.source = name, source
        self.inputs = [_value("image", ["batch", *image])]
        self.nodes, self.tensors = [], []

    def constant(self, name, array):
        """A constant; gives its name."""
        self.tensors.append(_tensor(name, np.asarray(array)))
        return name

    def node(self, operator, name, operands, **attributes):
        """A node whose output is called as it is; gives the name."""
        body = b"".join(_bytes(1, operand) for operand in operands) + _bytes(2, name) + _bytes(3, name)
        body += _bytes(4, operator)
        body += b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items())
        self.nodes.append(body)
        return name

    def file(self, output, features):
        """The bytes of the file, the network ending at `output` with so many numbers an image."""
        graph = b"".join(_bytes(1, node) for node in self.nodes) + _bytes(2, self.name)
        graph += b"".join(_bytes(5, tensor) for tensor in self.tensors)
        graph += b"".join(_bytes(11, value) for value in self.inputs) + _bytes(12, _value(output, ["batch", features]))
        opset = _bytes(1, "") + _int(2, OPSET)
        return _int(1, IR_VERSION) + _bytes(2, "henge converters") + _bytes(6, self.source) + _bytes(7, graph) + _bytes(8, opset)
