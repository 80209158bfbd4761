"""Photos of packages into idx files of one size, and the names of classes.

    python photos.py FOOLBOX_DATA AI_BENCHMARK_DATA IMAGENET_CLASSES.json LABEL_ENCODER.pkl OUTDIR

Two ways of preparing a photo, both with Pillow's bicubic filter: `crop224` scales the shorter side to 256 and cuts out the
central 224 x 224 (how EfficientNet-Lite0 and MobileNetV2 are evaluated); `whole160` scales the whole photo to 160 x 160 (what the
dog-breed model was trained on). Layout of `*-idx4-ubyte`: photo, channel (red, green, blue), row, column.
"""

import json
import pathlib
import pickletools
import re
import struct
import sys

import numpy as np
from PIL import Image


def crop224(photo):
    """The central 224 x 224 of the photo scaled to a shorter side of 256."""
    width, height = photo.size
    scale = 256 / min(width, height)
    photo = photo.resize((round(width * scale), round(height * scale)), Image.Resampling.BICUBIC)
    left, top = (photo.width - 224) // 2, (photo.height - 224) // 2
    return photo.crop((left, top, left + 224, top + 224))


def whole160(photo):
    """The whole photo as 160 x 160."""
    return photo.resize((160, 160), Image.Resampling.BICUBIC)


def write_idx(path, array):
    """Unsigned bytes with their extents."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + np.ascontiguousarray(array, np.uint8).tobytes())


def breeds(path):
    """Class names out of the pickle of a label encoder, which is not executed.

    The pickle describes one array of strings of 40 characters (its instructions say so) and is followed by one byte with the
    length of a padding, the padding, and the array in UTF-32.
    """
    content = path.read_bytes()
    strings, end = [], 0
    try:
        for _, argument, position in pickletools.genops(content):
            strings.append(argument)
            end = position
    except ValueError:
        # Where the array begins is no instruction: `end` is the last one before it.
        pass
    if "U40" not in strings or "NumpyArrayWrapper" not in strings:
        raise SystemExit(f"{path}: not the label encoder that this reads")
    start = end + 1 + 1 + content[end + 1]
    count = strings[strings.index("shape") + 2]
    names = content[start : start + 160 * count].decode("utf-32-le")
    names = [names[at : at + 40].rstrip("\0") for at in range(0, 40 * count, 40)]
    return [name.split("-", 1)[1].replace("_", " ") for name in names]


def main():
    labelled, unlabelled, classes, encoder, out = map(pathlib.Path, sys.argv[1:])
    numbered = re.compile(r"imagenet_(\d+)_(\d+)\.jpg")
    found = sorted((m for m in map(numbered.fullmatch, (p.name for p in labelled.iterdir())) if m), key=lambda m: int(m[1]))
    write_idx(out / "labelled-classes-idx2-ubyte", np.array([divmod(int(m[2]), 256) for m in found]))
    sets = {
        "labelled": [labelled / m[0] for m in found],
        "unlabelled": sorted(unlabelled.glob("*.jpg"), key=lambda p: int(p.stem)),
    }
    for name, paths in sets.items():
        for prepare in (crop224, whole160):
            photos = [np.asarray(prepare(Image.open(path).convert("RGB"))).transpose(2, 0, 1) for path in paths]
            write_idx(out / f"{name}-{prepare.__name__}-idx4-ubyte", np.stack(photos))
    names = json.loads(classes.read_text())
    names = [names[str(i)] for i in range(1000)] if isinstance(names, dict) else names
    (out / "imagenet.txt").write_text("".join(f"{name}\n" for name in names))
    (out / "breeds.txt").write_text("".join(f"{name}\n" for name in breeds(encoder)))


if __name__ == "__main__":
    main()
