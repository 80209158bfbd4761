"""Trains CryptoNets, or CryptoNets-ReLU, on MNIST or Fashion-MNIST and writes both ONNX forms with their records.

    python train.py --data DIR --dataset mnist --out ../models
    python train.py --data DIR --dataset mnist --activation relu --out ../../cryptonets_relu/models

Every random number comes from the seed; the same weights are expected only on the same machine and versions. It fetches nothing: DIR is
what third_party/datasets/fetch.sh made.

Of the 60,000 training images the last 5,000 are held out, and every choice of this script is made on them: with only five maps before
the first activation the outcome depends on where training starts, so many seeds are trained briefly, the best few fully,
and the best of those is kept. The test images are read once, after that, to report (how the
recipe itself was settled: ../README.md).
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import time

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

import jax
import jax.numpy as jnp
import numpy as np
import onnx

import augment
import export
import idx
import network

HELD_OUT = 5_000
SCREENS = {"square": dict(seeds=12, epochs=5, finalists=2), "relu": dict(seeds=4, epochs=3, finalists=1)}
TOPOLOGIES = {"square": "CryptoNets (Dowlin et al. 2016)", "relu": "CryptoNets-ReLU (Boemer et al. 2019)"}
RECIPES = {
    "mnist": dict(batch=250, epochs=60, rate=4e-3, decay=2e-2, smoothing=0.05, averaging=0.999, range_penalty=1e-4),
    "fashion": dict(batch=250, epochs=50, rate=4e-3, decay=2e-2, smoothing=0.05, averaging=0.999, range_penalty=1e-4),
}
# With ReLU less depends on where training starts, and fewer passes do.
RECIPES_RELU = {dataset: recipe | {"epochs": 30} for dataset, recipe in RECIPES.items()}
RANGE = 6.0


def loss(p, images, labels, recipe, activation):
    """Cross entropy with smoothed labels, plus a penalty on what exceeds `RANGE` before an activation."""
    logits, activated, _ = network.forward(p, images, activation)
    target = jax.nn.one_hot(labels, 10) * (1 - recipe["smoothing"]) + recipe["smoothing"] / 10
    entropy = -(target * jax.nn.log_softmax(logits)).sum(1).mean()
    beyond = sum((jnp.maximum(jnp.abs(x) - RANGE, 0) ** 2).sum() for x in activated)
    return entropy + recipe["range_penalty"] * beyond / images.shape[0]


def make_epoch(recipe, activation, distortion, steps):
    """One compiled pass over the training images: AdamW, cosine rate with warm-up, averaged weights."""

    def step(state, batch):
        p, first, second, average, at = state
        key, images, labels = batch
        gradient = jax.grad(loss)(p, augment.distort(key, images, distortion), labels, recipe, activation)
        norm = jnp.sqrt(sum((g**2).sum() for g in jax.tree.leaves(gradient)))
        gradient = jax.tree.map(lambda g: g * jnp.minimum(1, 1 / (norm + 1e-12)), gradient)
        at = at + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g * g, second, gradient)
        warm = 0.03 * steps
        rate = recipe["rate"] * jnp.where(
            at < warm, at / warm, 0.5 * (1 + jnp.cos(jnp.pi * (at - warm) / (steps - warm)))
        )

        def move(w, m, v):
            adam = m / (1 - 0.9**at) / (jnp.sqrt(v / (1 - 0.99**at)) + 1e-8)
            return w - rate * (adam + (recipe["decay"] * w if w.ndim > 1 else 0))

        p = jax.tree.map(move, p, first, second)
        keep = jnp.minimum(recipe["averaging"], (at + 1) / (at + 10))
        average = jax.tree.map(lambda a, w: keep * a + (1 - keep) * w, average, p)
        return (p, first, second, average, at), norm

    def epoch(state, key, images, labels):
        order, distort = jax.random.split(key)
        batches = images.shape[0] // recipe["batch"]
        pick = jax.random.permutation(order, images.shape[0])[: batches * recipe["batch"]]
        pick = pick.reshape(batches, recipe["batch"])
        keys = jax.random.split(distort, batches)
        take = lambda state, kp: step(state, (kp[0], images[kp[1]], labels[kp[1]]))
        return jax.lax.scan(take, state, (keys, pick))

    return jax.jit(epoch)


def statistics(p, images, activation, distortion, key):
    """Batch statistics over distorted training images, for folding."""
    part = jax.jit(lambda k, x: network.forward(p, augment.distort(k, x, distortion), activation)[2])
    chunks = np.split(images[:50_000], 10)
    found = [part(k, c) for k, c in zip(jax.random.split(key, len(chunks)), chunks)]
    return jax.tree.map(lambda *x: np.mean(np.stack(x), axis=0), *found)


def judge(layers, images, labels, activation):
    """Cross entropy, share of right labels, and the largest values before each activation and of the logits."""
    logits, ranges = network.evaluate(layers, images, activation)
    below = logits - logits.max(1, keepdims=True)
    log_share = below - np.log(np.exp(below).sum(1, keepdims=True))
    entropy = -log_share[np.arange(len(labels)), labels].mean()
    return float(entropy), float((logits.argmax(1) == labels).mean()), ranges


def train(seed, recipe, activation, distortion, images, labels, held_out):
    """Folded layers of one run, and their cross entropy and accuracy on the held-out images."""
    steps = recipe["epochs"] * (images.shape[0] // recipe["batch"])
    key = jax.random.key(seed)
    p = network.initial(jax.random.fold_in(key, 0))
    zero = jax.tree.map(jnp.zeros_like, p)
    state = (p, zero, zero, p, jnp.float32(0))
    epoch = make_epoch(recipe, activation, distortion, steps)
    started = time.monotonic()
    for number in range(1, recipe["epochs"] + 1):
        state, _ = epoch(state, jax.random.fold_in(key, number), images, labels)
        if number % 10 == 0 or number == recipe["epochs"]:
            found = statistics(state[3], images, activation, distortion, jax.random.fold_in(key, 10_000))
            layers = network.fold(state[3], found)
            entropy, right, ranges = judge(layers, *held_out, activation)
            print(
                f"seed {seed} epoch {number:3d}: held out {100 * right:.2f} %, cross entropy {entropy:.4f}, "
                f"largest values {' '.join(f'{x:.1f}' for x in ranges)}, {time.monotonic() - started:.0f} s",
                flush=True,
            )
    return layers, entropy, right


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--dataset", choices=sorted(RECIPES), required=True)
    parser.add_argument("--activation", choices=sorted(network.ACTIVATIONS), default="square")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    activation = options.activation
    recipe = (RECIPES if activation == "square" else RECIPES_RELU)[options.dataset]
    screen = SCREENS[activation]
    distortion = augment.DISTORTIONS[options.dataset]

    images, labels = idx.load(options.data, options.dataset, "train")
    held_out = (images[-HELD_OUT:], labels[-HELD_OUT:])

    def run(seed, epochs):
        passes = recipe | {"epochs": epochs}
        return train(seed, passes, activation, distortion, images[:-HELD_OUT], labels[:-HELD_OUT], held_out)

    screened = {seed: run(seed, screen["epochs"])[1:] for seed in range(1, screen["seeds"] + 1)}
    finalists = sorted(screened, key=lambda s: screened[s][0])[: screen["finalists"]]
    finals = {seed: run(seed, recipe["epochs"]) for seed in finalists}
    seed = max(finals, key=lambda s: finals[s][2])
    layers = finals[seed][0]

    test_images, test_labels = idx.load(options.data, options.dataset, "t10k")
    name = "cryptonets" if activation == "square" else f"cryptonets_{activation}"
    folder = "../models" if activation == "square" else f"../../{name}/models"
    again = "" if activation == "square" else f" --activation {activation}"
    options.out.mkdir(parents=True, exist_ok=True)
    for form, model in (("unsquashed", layers), ("squashed", network.squash(layers))):
        path = options.out / f"{options.dataset}_{form}.onnx"
        stored = export.write(model, path, f"{name}_{options.dataset}_{form}", activation)
        _, right, ranges = judge(stored, test_images, test_labels, activation)
        _, _, train_ranges = judge(stored, images[:20_000], labels[:20_000], activation)
        record = {
            "model": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "topology": f"{TOPOLOGIES[activation]}, {form}",
            "dataset": options.dataset,
            "accuracy_clear": round(right, 6),
            "test_images": len(test_labels),
            f"largest_before_{activation}_1": {"train_20000": train_ranges[0], "test": ranges[0]},
            f"largest_before_{activation}_2": {"train_20000": train_ranges[1], "test": ranges[1]},
            "largest_logit": {"train_20000": train_ranges[2], "test": ranges[2]},
            "seed": seed,
            "held_out_images": HELD_OUT,
            "screen": screen,
            "screened_cross_entropy": {str(s): round(r[0], 4) for s, r in screened.items()},
            "finalists_accuracy_held_out": {str(s): round(r[2], 4) for s, r in finals.items()},
            "recipe": recipe,
            "distortion": distortion._asdict(),
            "rounding": "published layers rounded to values that f16 holds; the squashed matrix is computed from them in f64 and stored in f32",
            "versions": {"jax": jax.__version__, "numpy": np.__version__, "onnx": onnx.__version__},
            "command": f"python train.py --data DIR --dataset {options.dataset}{again} --out {folder}",
            "date": datetime.date.today().isoformat(),
        }
        path.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
        print(f"{path.name}: {100 * right:.2f} % of the test images right, largest values {ranges}")


if __name__ == "__main__":
    main()
