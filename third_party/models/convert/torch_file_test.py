"""What the reader of state dicts gives and what it refuses. Pickles are written here, never loaded."""

import os
import pathlib
import pickle
import struct
import sys
import tempfile
import unittest
import zipfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import torch_file


class Global:
    """Pickles as a mere name."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Stored:
    """Pickles as a persistent id."""

    def __init__(self, identity):
        self.identity = identity


class Call:
    """Pickles as a call."""

    def __init__(self, function, arguments):
        self.function, self.arguments = function, arguments


class Writer(pickle._Pickler):
    """Writes names and calls as such, without importing what they name."""

    def persistent_id(self, value):
        return value.identity if isinstance(value, Stored) else None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Global):
            return self.write(b"c" + f"{value.module}\n{value.name}\n".encode())
        if isinstance(value, Call):
            self.save(value.function)
            self.save(value.arguments)
            return self.write(b"R")
        return super().save(value, save_persistent_id)


def pickled(value):
    with tempfile.TemporaryFile() as file:
        Writer(file, protocol=2).dump(value)
        file.seek(0)
        return file.read()


FLOATS = Global("torch", "FloatStorage")
REBUILD = Global("torch._utils", "_rebuild_tensor_v2")


def tensor(count=6, offset=0, shape=(2, 3), strides=(3, 1), kind=FLOATS):
    storage = Stored(("storage", kind, "0", "cpu", count))
    return Call(REBUILD, (storage, offset, shape, strides, False, Call(Global("collections", "OrderedDict"), ())))


class TorchFile(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "state.pt"
        self.numbers = np.arange(6, dtype="<f4")

    def tearDown(self):
        self.folder.cleanup()

    def archive(self, state, numbers=None):
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("state/data.pkl", pickled(state))
            archive.writestr("state/data/0", (self.numbers if numbers is None else numbers).tobytes())
        return torch_file.read(self.path)

    def legacy(self, state, count=6):
        parts = [torch_file.LEGACY_MAGIC, torch_file.LEGACY_VERSION, {"little_endian": True}, state, ["0"]]
        content = b"".join(map(pickled, parts)) + struct.pack("<q", count) + self.numbers.tobytes()
        self.path.write_bytes(content)
        return torch_file.read(self.path)

    def test_both_containers(self):
        for read in (self.archive, self.legacy):
            found = read({"a": tensor(), "b": tensor(offset=1, shape=(2, 2), strides=(1, 3))})
            np.testing.assert_array_equal(found["a"], [[0, 1, 2], [3, 4, 5]])
            np.testing.assert_array_equal(found["b"], [[1, 4], [2, 5]])

    def refused(self, read, state, word, **options):
        with self.assertRaises(torch_file.Refused) as caught:
            read(state, **options)
        self.assertIn(word, str(caught.exception))

    def test_calls_are_refused_and_nothing_runs(self):
        mark = pathlib.Path(self.folder.name) / "ran"
        for module, name in (("os", "system"), ("posix", "system"), ("builtins", "eval"), ("torch._utils", "_rebuild_tensor")):
            call = Call(Global(module, name), (f"touch {mark}",))
            self.refused(self.archive, {"a": call}, f"a call of {module}.{name}")
        self.assertFalse(mark.exists())

    def test_instructions_that_make_objects_are_refused(self):
        class Plain:
            pass

        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("state/data.pkl", pickle.dumps({"a": os.getpid}, protocol=0))
        with self.assertRaises(torch_file.Refused):
            torch_file.read(self.path)
        for instruction in (b"\x80\x02}(X\x01\x00\x00\x00aios\nsystem\nu.", b"\x80\x02cos\nsystem\n)\x81."):
            with zipfile.ZipFile(self.path, "w") as archive:
                archive.writestr("state/data.pkl", instruction)
            with self.assertRaises(torch_file.Refused):
                torch_file.read(self.path)

    def test_tensors_that_cannot_be(self):
        self.refused(self.archive, {"a": tensor(shape=(3, 3))}, "reaches beyond")
        self.refused(self.archive, {"a": tensor(offset=-1)}, "extents")
        self.refused(self.archive, {"a": tensor(strides=(1,))}, "with strides")
        self.refused(self.archive, {"a": tensor(count=7)}, "24 bytes, expected 28")
        self.refused(self.archive, {"a": tensor(count=1 << 60)}, "storage")
        self.refused(self.archive, {"a": tensor(kind=Global("torch", "QUInt8Storage"))}, "QUInt8Storage")
        self.refused(self.archive, {"a": 1}, "something else")
        self.refused(self.archive, [tensor()], "something else")
        self.refused(self.legacy, {"a": tensor()}, "expected 6", count=5)
        self.refused(self.legacy, {"a": tensor(count=7)}, "expected 7", count=6)

    def test_files_that_are_none(self):
        for content in (b"", b"PK", b"\x80\x02}.", pickled(1) + pickled(2) + pickled({})):
            self.path.write_bytes(content)
            with self.assertRaises((torch_file.Refused, ValueError)):
                torch_file.read(self.path)


if __name__ == "__main__":
    unittest.main()
