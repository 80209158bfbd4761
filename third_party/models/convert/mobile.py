"""Networks of inverted residuals: MobileNetV2 and EfficientNet-Lite0, from trained layers.

An inverted residual is: pointwise convolution to more channels (unless the factor is 1), depthwise convolution, pointwise
convolution to fewer channels; batch normalisation after each, ReLU6 after the first two, and the input added where stride
and channels allow. Sources: Sandler et al., MobileNetV2, arXiv:1801.04381, table 2; Tan and Le, EfficientNet,
arXiv:1905.11946, table 1, in the "lite" form (no squeeze-and-excitation, ReLU6, stem and head unscaled).
"""

# expansion, channels, repeats, stride of the first, kernel
MOBILENET_V2 = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3), (6, 96, 3, 1, 3), (6, 160, 3, 2, 3), (6, 320, 1, 1, 3)]
EFFICIENTNET_LITE0 = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]


class Layers:
    """Trained layers by place. `norm(place)` gives scale, shift, mean and variance; `same` says how convolutions pad."""

    same = True

    def kernel(self, place, depthwise=False):
        """Weights `[out, in/groups, k, k]` of the convolution at that place."""
        raise NotImplementedError

    def norm(self, place):
        """Scale, shift, mean, variance of the normalisation behind it."""
        raise NotImplementedError


def write(network, blocks, layers, epsilon):
    """Stem, blocks and head; gives the name of the last value, `[batch, 1280, h, w]`."""

    def convolve(x, place, stride, depthwise=False, activate=True):
        kernel = layers.kernel(place, depthwise)
        size = kernel.shape[2]
        # "Same": as many positions as strides fit, an odd border larger behind; else the border is symmetric.
        border = {"auto_pad": "SAME_UPPER"} if layers.same else {"pads": [size // 2] * 4}
        x = network.node(
            "Conv", place, [x, network.constant(f"{place}/kernel", kernel)],
            kernel_shape=[size, size], strides=[stride, stride], group=kernel.shape[0] if depthwise else 1, **border,
        )
        names = ("scale", "shift", "mean", "variance")
        parameters = [network.constant(f"{place}/{name}", array) for name, array in zip(names, layers.norm(place))]
        x = network.node("BatchNormalization", f"{place}/norm", [x, *parameters], epsilon=epsilon)
        return network.node("Clip", f"{place}/relu6", [x, "zero", "six"]) if activate else x

    network.constant("zero", 0.0)
    network.constant("six", 6.0)
    x = convolve("image", "stem", 2)
    number, channels = 0, None
    for expansion, wide, repeats, stride, _ in blocks:
        for repeat in range(repeats):
            block, step, y = f"block{number}", stride if repeat == 0 else 1, x
            if expansion > 1:
                y = convolve(y, f"{block}/expand", 1)
            y = convolve(y, f"{block}/depthwise", step, depthwise=True)
            y = convolve(y, f"{block}/project", 1, activate=False)
            x = network.node("Add", f"{block}/add", [x, y]) if step == 1 and channels == wide else y
            number, channels = number + 1, wide
    return convolve(x, "head", 1)


def pool(network, x, name="features"):
    """The mean of each channel: `[batch, 1280]`."""
    return network.node("Flatten", name, [network.node("GlobalAveragePool", "pool", [x])], axis=1)
