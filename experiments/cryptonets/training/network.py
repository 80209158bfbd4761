"""The CryptoNets network in three forms: as it is trained, as it is published, and squashed.

Published training form (Dowlin et al. 2016, section 3): convolution 5x5 stride 2 to 5 maps on the image padded by one
row above and one column to the left (845 values), square, scaled mean pool 3x3, convolution 5x5 stride 2 to 50 maps
(1250 values), scaled mean pool 3x3, fully connected to 100, square, fully connected to 10.
Squashed: all that lies between the two squares is linear, so it is one 845x100 matrix.

For training that matrix is computed from the published layers at every step (about 16 million products, less than
running 256 images through them), so the gradient reaches the layers themselves while an image costs only the squashed
network. Batch normalisation stands before each square in training alone; `fold` removes it.

The same network with ReLU in place of both squares is CryptoNets-ReLU (Boemer et al. 2019, nGraph-HE2): `activation` says which.
"""

import jax
import jax.numpy as jnp
import numpy as np

MAPS, SIDE1, WIDE, SIDE2, HIDDEN, CLASSES = 5, 13, 50, 5, 100, 10
EPSILON = 1e-5
ACTIVATIONS = {"square": lambda x: x**2, "relu": lambda x: x * (x > 0)}


def _pool(side):
    """One axis of the scaled mean pool: window 3, stride 1, padded by 1, the padding counted."""
    return np.where(np.abs(np.subtract.outer(np.arange(side), np.arange(side))) <= 1, 1 / 3, 0.0)


def _overlap():
    """One axis of pool then convolution: weight of input row y in output row i at kernel row a."""
    place = np.zeros((SIDE1, SIDE2, 5))
    for i in range(SIDE2):
        for a in range(5):
            place[2 * i + a, i, a] = 1
    return np.einsum("zy,zia->yia", _pool(SIDE1), place)


def initial(key):
    """Random parameters: each layer keeps the variance of what it reads."""
    k1, k2, k3, k4 = jax.random.split(key, 4)
    normal = jax.random.normal
    return {
        "conv1": normal(k1, (MAPS, 25)) / 5,
        "scale1": jnp.ones(MAPS),
        "shift1": 0.3 * jnp.ones(MAPS),
        "conv2": normal(k2, (WIDE, MAPS, 5, 5)) / np.sqrt(25 * MAPS),
        "dense1": normal(k3, (HIDDEN, WIDE, SIDE2, SIDE2)) / np.sqrt(25 * WIDE),
        "scale2": jnp.ones(HIDDEN),
        "shift2": 0.3 * jnp.ones(HIDDEN),
        "dense2": 0.5 * normal(k4, (CLASSES, HIDDEN)) / np.sqrt(HIDDEN),
        "bias2": jnp.zeros(CLASSES),
    }


def squashed_matrix(p):
    """The 100x845 matrix of pool, convolution, pool, fully connected."""
    pool = jnp.asarray(_pool(SIDE2), jnp.float32)
    overlap = jnp.asarray(_overlap(), jnp.float32)
    dense = jnp.einsum("omij,ik,jl->oklm", p["dense1"], pool, pool)
    taps = jnp.einsum("oklm,mcab->ockalb", dense, p["conv2"])
    rows = jnp.einsum("yka,ockalb->oclby", overlap, taps)
    return jnp.einsum("xlb,oclby->ocyx", overlap, rows).reshape(HIDDEN, MAPS * SIDE1 * SIDE1)


def patches(images):
    """(count, 169, 25): the window that each of the 13x13 outputs of the first convolution reads."""
    padded = jnp.pad(images, ((0, 0), (1, 0), (1, 0)))
    taps = [padded[:, a : a + 25 : 2, b : b + 25 : 2] for a in range(5) for b in range(5)]
    return jnp.stack(taps, axis=-1).reshape(images.shape[0], SIDE1 * SIDE1, 25)


def forward(p, images, activation, statistics=None):
    """Logits, the two tensors that the activation reads, and the batch statistics that were used."""
    activate = ACTIVATIONS[activation]
    first = jnp.einsum("npk,ck->ncp", patches(images), p["conv1"])
    mean1, var1 = statistics[0] if statistics else (first.mean((0, 2)), first.var((0, 2)))
    gain1 = p["scale1"] / jnp.sqrt(var1 + EPSILON)
    first = (first - mean1[:, None]) * gain1[:, None] + p["shift1"][:, None]
    second = activate(first).reshape(images.shape[0], -1) @ squashed_matrix(p).T
    mean2, var2 = statistics[1] if statistics else (second.mean(0), second.var(0))
    second = (second - mean2) * (p["scale2"] / jnp.sqrt(var2 + EPSILON)) + p["shift2"]
    logits = activate(second) @ p["dense2"].T + p["bias2"]
    return logits, (first, second), ((mean1, var1), (mean2, var2))


def fold(p, statistics):
    """The published layers in f64, batch normalisation folded in, rounded to values that f16 holds."""
    p = jax.tree.map(lambda a: np.asarray(a, np.float64), p)
    (mean1, var1), (mean2, var2) = jax.tree.map(lambda a: np.asarray(a, np.float64), statistics)
    gain1 = p["scale1"] / np.sqrt(var1 + EPSILON)
    gain2 = p["scale2"] / np.sqrt(var2 + EPSILON)
    layers = {
        "conv1": (p["conv1"] * gain1[:, None]).reshape(MAPS, 1, 5, 5),
        "bias1": p["shift1"] - mean1 * gain1,
        "conv2": p["conv2"],
        "dense1": (p["dense1"] * gain2[:, None, None, None]).reshape(HIDDEN, -1),
        "bias2": p["shift2"] - mean2 * gain2,
        "dense2": p["dense2"],
        "bias3": p["bias2"],
    }
    return {name: value.astype(np.float16).astype(np.float64) for name, value in layers.items()}


def between_squares(layers, x):
    """What lies between the squares, layer by layer in f64: (count, 5, 13, 13) to (count, 1250)."""

    def pool(x):
        side = x.shape[-1]
        x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        return sum(x[:, :, a : a + side, b : b + side] for a in range(3) for b in range(3)) / 9

    pooled = pool(x)
    wide = np.zeros((x.shape[0], WIDE, SIDE2, SIDE2))
    for a in range(5):
        for b in range(5):
            wide += np.einsum("ncyx,mc->nmyx", pooled[:, :, a : a + 9 : 2, b : b + 9 : 2], layers["conv2"][:, :, a, b])
    return pool(wide).reshape(x.shape[0], -1)


def squash(layers):
    """The squashed form: the same layers with one 100x845 matrix between the squares, in f64."""
    inputs = MAPS * SIDE1 * SIDE1
    columns = between_squares(layers, np.eye(inputs).reshape(inputs, MAPS, SIDE1, SIDE1))
    kept = {name: layers[name] for name in ("conv1", "bias1", "bias2", "dense2", "bias3")}
    return kept | {"dense1": layers["dense1"] @ columns.T}


def evaluate(layers, images, activation):
    """Logits and the largest absolute values before each activation, in f64, of either form."""
    activate = ACTIVATIONS[activation]
    padded = np.pad(np.asarray(images, np.float64), ((0, 0), (1, 0), (1, 0)))
    first = np.zeros((len(images), MAPS, SIDE1, SIDE1))
    for a in range(5):
        for b in range(5):
            tap = padded[:, None, a : a + 25 : 2, b : b + 25 : 2]
            first += tap * layers["conv1"][:, 0, a, b][None, :, None, None]
    first += layers["bias1"][None, :, None, None]
    hidden = activate(first)
    hidden = between_squares(layers, hidden) if "conv2" in layers else hidden.reshape(len(images), -1)
    second = hidden @ layers["dense1"].T + layers["bias2"]
    logits = activate(second) @ layers["dense2"].T + layers["bias3"]
    return logits, [float(np.abs(first).max()), float(np.abs(second).max()), float(np.abs(logits).max())]
