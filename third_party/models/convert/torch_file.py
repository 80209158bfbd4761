"""Reads the tensors of a PyTorch state dict without executing its pickle.

A pickle is a program for a stack machine, and loading one may call anything. Here the program is only looked at: the
standard library lists its instructions, and this file interprets the few that a state dict needs on values that are
numbers, strings, tuples, lists, dicts, tensors and names. A name is never looked up; two of them may be "called", and what
happens then is written below. Any other instruction, name or call is refused.

Both containers are read: the zip archive that PyTorch writes since 1.6, and the sequence of pickles followed by raw
storages that it wrote before. Source: `torch/serialization.py` of PyTorch describes both.
"""

import pickletools
import struct
import zipfile

import numpy as np

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001
TYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4"}
MOST_ELEMENTS = 1 << 28


class Refused(ValueError):
    """A file that is no state dict of plain tensors."""


class Name:
    """A name that a pickle mentions; it stands for nothing."""

    def __init__(self, module, name):
        self.full = f"{module}.{name}"


class Storage:
    """Numbers that tensors are views of; the bytes come later."""

    def __init__(self, key, dtype, count):
        self.key, self.dtype, self.count, self.numbers = key, dtype, count, None


class View:
    """A tensor: where it lies in its storage."""

    def __init__(self, storage, offset, shape, strides):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self):
        """The tensor as an array of its own."""
        numbers = self.storage.numbers
        reach = 1 + sum((extent - 1) * stride for extent, stride in zip(self.shape, self.strides))
        if 0 in self.shape:
            return np.zeros(self.shape, self.storage.dtype)
        if self.offset + reach > len(numbers):
            raise Refused(f"a tensor of shape {self.shape} reaches beyond its storage of {len(numbers)} numbers")
        strides = [stride * numbers.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides).copy()


def _storage(storages, identity):
    """What a persistent id stands for: `("storage", type, key, device, count[, view])`."""
    if not (isinstance(identity, tuple) and len(identity) in (5, 6) and identity[0] == "storage"):
        raise Refused(f"unknown persistent id {identity!r}")
    kind, key, count = identity[1], identity[2], identity[4]
    if not isinstance(kind, Name) or not kind.full.startswith("torch.") or kind.full[6:] not in TYPES:
        raise Refused(f"storage of type {getattr(kind, 'full', kind)}, expected {', '.join(TYPES)}")
    if len(identity) == 6 and identity[5] is not None:
        raise Refused("views of storages are not supported")
    if not isinstance(key, str) or not isinstance(count, int) or not 0 <= count <= MOST_ELEMENTS:
        raise Refused(f"storage {key!r} of {count!r} numbers")
    return storages.setdefault(key, Storage(key, TYPES[kind.full[6:]], count))


def _sizes(value):
    if not isinstance(value, tuple) or not all(isinstance(n, int) and 0 <= n <= MOST_ELEMENTS for n in value):
        raise Refused(f"extents {value!r}")
    return value


def _call(function, arguments):
    """The two calls that a state dict makes."""
    if not isinstance(function, Name):
        raise Refused(f"a call of {function!r}")
    if function.full == "collections.OrderedDict" and arguments in ((), ([],)):
        return {}
    if function.full == "torch._utils._rebuild_tensor_v2" and len(arguments) >= 4:
        storage, offset, shape, strides = arguments[:4]
        if not isinstance(storage, Storage):
            raise Refused(f"a tensor over {storage!r}")
        (offset,), shape, strides = _sizes((offset,)), _sizes(shape), _sizes(strides)
        if len(shape) != len(strides):
            raise Refused(f"extents {shape} with strides {strides}")
        return View(storage, offset, shape, strides)
    raise Refused(f"a call of {function.full}")


def _interpret(stream, storages):
    """The value that one pickle builds; the stream stands behind it afterwards."""
    stack, marks, memo = [], [], {}

    def since_mark():
        at = marks.pop()
        items = stack[at:]
        del stack[at:]
        return items

    try:
        for opcode, argument, _ in pickletools.genops(stream):
            match opcode.name:
                case "PROTO" | "FRAME":
                    pass
                case "MARK":
                    marks.append(len(stack))
                case "EMPTY_DICT":
                    stack.append({})
                case "EMPTY_LIST":
                    stack.append([])
                case "EMPTY_TUPLE":
                    stack.append(())
                case "NONE":
                    stack.append(None)
                case "NEWTRUE":
                    stack.append(True)
                case "NEWFALSE":
                    stack.append(False)
                case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE" | "SHORT_BINUNICODE":
                    stack.append(argument)
                case "BINSTRING" | "SHORT_BINSTRING":
                    stack.append(argument)
                case "BINPUT" | "LONG_BINPUT":
                    memo[argument] = stack[-1]
                case "MEMOIZE":
                    memo[len(memo)] = stack[-1]
                case "BINGET" | "LONG_BINGET":
                    stack.append(memo[argument])
                case "GLOBAL":
                    stack.append(Name(*argument.split(" ", 1)))
                case "STACK_GLOBAL":
                    name, module = stack.pop(), stack.pop()
                    stack.append(Name(module, name))
                case "TUPLE":
                    stack.append(tuple(since_mark()))
                case "TUPLE1" | "TUPLE2" | "TUPLE3":
                    count = int(opcode.name[-1])
                    items = tuple(stack[-count:])
                    del stack[-count:]
                    stack.append(items)
                case "APPEND":
                    item = stack.pop()
                    stack[-1].append(item)
                case "APPENDS":
                    items = since_mark()
                    stack[-1].extend(items)
                case "SETITEM":
                    value, key = stack.pop(), stack.pop()
                    stack[-1][key] = value
                case "SETITEMS":
                    items = since_mark()
                    stack[-1].update(zip(items[::2], items[1::2]))
                case "BINPERSID":
                    stack.append(_storage(storages, stack.pop()))
                case "REDUCE":
                    arguments = stack.pop()
                    stack.append(_call(stack.pop(), arguments))
                case "BUILD":
                    # Attributes of an OrderedDict: notes about versions of layers, of no effect on tensors.
                    stack.pop()
                    if not isinstance(stack[-1], dict):
                        raise Refused(f"attributes of {stack[-1]!r}")
                case "STOP":
                    (value,) = stack
                    return value
                case other:
                    raise Refused(f"pickle instruction {other}")
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"not a pickle of tensors: {error!r}") from error
    raise Refused("a pickle without an end")


def _legacy(stream, size):
    """Pickles of magic number, version, machine, dict and storage keys; then each storage: count, numbers."""
    none = {}
    magic, version, machine = (_interpret(stream, none) for _ in range(3))
    if magic != LEGACY_MAGIC or version != LEGACY_VERSION or not machine.get("little_endian"):
        raise Refused(f"neither a zip archive nor a file of PyTorch before 1.6 ({magic!r}, {version!r})")
    storages = {}
    state = _interpret(stream, storages)
    for key in _interpret(stream, none):
        storage = storages[key]
        (count,) = struct.unpack("<q", stream.read(8))
        if count != storage.count or count * np.dtype(storage.dtype).itemsize > size:
            raise Refused(f"storage {key} of {count} numbers, expected {storage.count}")
        storage.numbers = np.frombuffer(stream.read(count * np.dtype(storage.dtype).itemsize), storage.dtype)
    return state, storages


def _archive(path):
    """`NAME/data.pkl`, and one member `NAME/data/KEY` for each storage."""
    storages = {}
    with zipfile.ZipFile(path) as archive:
        (pickled,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        folder = pickled.removesuffix("data.pkl")
        with archive.open(pickled) as stream:
            state = _interpret(stream, storages)
        for key, storage in storages.items():
            member = f"{folder}data/{key}"
            expected = storage.count * np.dtype(storage.dtype).itemsize
            if archive.getinfo(member).file_size != expected:
                raise Refused(f"{member}: {archive.getinfo(member).file_size} bytes, expected {expected}")
            storage.numbers = np.frombuffer(archive.read(member), storage.dtype)
    return state, storages


def read(path):
    """All tensors of a state dict by name, in the file's order."""
    if zipfile.is_zipfile(path):
        state, storages = _archive(path)
    else:
        with open(path, "rb") as stream:
            state, storages = _legacy(stream, path.stat().st_size)
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(value, View) for value in state.values()):
        raise Refused("the file holds something else than a dict of tensors")
    if any(storage.numbers is None or len(storage.numbers) != storage.count for storage in storages.values()):
        raise Refused("a storage is missing or short")
    return {name: view.array() for name, view in state.items()}
