"""Reads the idx files in which MNIST and Fashion-MNIST are published, plain or gzipped.

Layout: two zero bytes, a type byte (8 = unsigned byte), the number of dimensions, each dimension as a big-endian
u32, then the bytes in row-major order.
"""

import gzip
import pathlib
import struct

import numpy as np

FOLDERS = {"mnist": "mnist", "fashion": "fashion_mnist"}
COUNTS = {"train": 60_000, "t10k": 10_000}


def read(path):
    """The array held by one idx file."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    zero, kind, rank = struct.unpack_from(">HBB", data)
    if zero != 0 or kind != 8:
        raise ValueError(f"{path}: not an idx file of unsigned bytes: {data[:4].hex()}")
    shape = struct.unpack_from(f">{rank}I", data, 4)
    body = np.frombuffer(data, np.uint8, offset=4 + 4 * rank)
    if body.size != np.prod(shape):
        raise ValueError(f"{path}: {body.size} bytes follow the header, {shape} need {np.prod(shape)}")
    return body.reshape(shape)


def load(root, dataset, part):
    """Images as float32 (count, 28, 28) in [0, 1], and labels as int32; `part` is `train` or `t10k`."""
    folder = pathlib.Path(root) / FOLDERS[dataset]

    def find(name):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.exists():
                return path
        raise FileNotFoundError(f"{folder / name}[.gz]: run third_party/datasets/fetch.sh {root}")

    images = read(find(f"{part}-images-idx3-ubyte"))
    labels = read(find(f"{part}-labels-idx1-ubyte"))
    if images.shape != (COUNTS[part], 28, 28) or labels.shape != (COUNTS[part],):
        raise ValueError(f"{folder}: unexpected shapes {images.shape} and {labels.shape}")
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int32)
