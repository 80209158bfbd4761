"""Random distortions of a batch of images, drawn anew at every step.

One displacement field per image: an affine map (rotation, scale, shear, shift) plus a smooth elastic part, a 5x5 grid
of normal numbers stretched to 28x28. The image is read at the displaced points by bilinear interpolation, zero
outside. Fashion images are also mirrored, and a rectangle of each may be blanked.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

SIDE = 28
GRID = 5


class Distortion(NamedTuple):
    """How far an image may be bent. Angles in radians, shifts and elastic displacement in pixels."""

    rotation: float
    scale: float
    shear: float
    shift: float
    elastic: float
    mirror: bool
    blank: float


DISTORTIONS = {
    "mnist": Distortion(rotation=0.12, scale=0.08, shear=0.08, shift=1.2, elastic=0.5, mirror=False, blank=0.0),
    "fashion": Distortion(rotation=0.03, scale=0.05, shear=0.02, shift=0.8, elastic=0.1, mirror=True, blank=0.0),
}


def _stretch():
    """The 28x5 matrix that interpolates a coarse grid linearly."""
    at = np.linspace(0, GRID - 1, SIDE)
    return jnp.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(GRID)[None, :])), jnp.float32)


def distort(key, images, how):
    """`images` (count, 28, 28), each bent by its own random field."""
    count = images.shape[0]
    affine, elastic, mirror, blank = jax.random.split(key, 4)
    u = jax.random.uniform(affine, (6, count, 1, 1), minval=-1.0, maxval=1.0)
    angle = how.rotation * u[0]
    grow_y, grow_x = 1 + how.scale * u[1], 1 + how.scale * u[2]
    shear = how.shear * u[3]
    centre = (SIDE - 1) / 2
    y, x = jnp.meshgrid(jnp.arange(SIDE) - centre, jnp.arange(SIDE) - centre, indexing="ij")
    field = how.elastic * jax.random.normal(elastic, (2, count, GRID, GRID))
    stretch = _stretch()
    bend = jnp.einsum("yi,knij,xj->knyx", stretch, field, stretch)
    x = x + shear * y
    at_y = grow_y * (jnp.cos(angle) * y - jnp.sin(angle) * x) + how.shift * u[4] + bend[0] + centre
    at_x = grow_x * (jnp.sin(angle) * y + jnp.cos(angle) * x) + how.shift * u[5] + bend[1] + centre
    if how.mirror:
        flip = jax.random.bernoulli(mirror, 0.5, (count, 1, 1))
        at_x = jnp.where(flip, SIDE - 1 - at_x, at_x)
    bent = _read(images, at_y, at_x)
    if how.blank > 0:
        bent = bent * _window(blank, count, how.blank)
    return bent


def _read(images, at_y, at_x):
    """Bilinear interpolation at real positions, zero outside the image."""
    count = images.shape[0]
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1))).reshape(count, -1)
    at_y = jnp.clip(at_y + 1, 0, SIDE + 0.999)
    at_x = jnp.clip(at_x + 1, 0, SIDE + 0.999)
    row, column = jnp.floor(at_y), jnp.floor(at_x)
    dy, dx = at_y - row, at_x - column
    start = (row * (SIDE + 2) + column).astype(jnp.int32).reshape(count, -1)

    def corner(down, right):
        taken = jnp.take_along_axis(padded, start + (down * (SIDE + 2) + right), axis=1)
        return taken.reshape(count, SIDE, SIDE)

    top = corner(0, 0) * (1 - dx) + corner(0, 1) * dx
    bottom = corner(1, 0) * (1 - dx) + corner(1, 1) * dx
    return top * (1 - dy) + bottom * dy


def _window(key, count, share):
    """One, but zero on a random rectangle in `share` of the images."""
    on, place, size = jax.random.split(key, 3)
    on = jax.random.bernoulli(on, share, (count, 1))
    middle = jax.random.uniform(place, (2, count, 1), minval=0, maxval=SIDE)
    half = jax.random.uniform(size, (2, count, 1), minval=1, maxval=6)
    at = jnp.arange(SIDE)[None, :]
    inside = jnp.abs(at - middle) <= half
    hit = inside[0][:, :, None] & inside[1][:, None, :] & on[:, :, None]
    return jnp.where(hit, 0.0, 1.0)
