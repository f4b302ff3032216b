"""Functions of torch.nn.functional: of each a list of calls, one for each argument at least.

A call is its inputs, then its arguments by name. An input is a shape, for normal numbers; what one of the makers below gives; or None.
An argument that a maker gives is a tensor by keyword.
"""

import zlib

import torch

from .. import record
from .dtypes import BOTH, word


class Call:
    """The inputs and the arguments of one call. Inputs are by position, or by `names` where other arguments stand between."""

    def __init__(self, *inputs, names=None, **args):
        self.inputs, self.names, self.args = inputs, names, args

    def made(self, dtype, generator):
        """The inputs, and the arguments that are tensors."""

        def make(given):
            return given(dtype, generator) if callable(given) else record.filled(given, dtype, generator)

        inputs = [None if x is None else make(x) for x in self.inputs]
        return inputs, {name: make(v) for name, v in self.args.items() if callable(v)}

    def plain(self):
        """The arguments that are no tensors."""
        return {name: v for name, v in self.args.items() if not callable(v)}


C = Call


def fixed(*shape):
    """Normal numbers that no gradient goes to."""
    return lambda dtype, g: record.Fixed(record.filled(shape, dtype, g))


def positive(*shape):
    """Numbers above 0 that no gradient goes to: weights, variances."""
    return lambda dtype, g: record.Fixed(record.filled(shape, dtype, g).abs() + 0.1)


def above(*shape):
    """Numbers above 0."""
    return lambda dtype, g: record.filled(shape, dtype, g).abs() + 0.1


def scaled(scale, *shape):
    """Normal numbers of another size."""
    return lambda dtype, g: record.filled(shape, dtype, g, scale)


def ints(high, *shape):
    """Integers from 0 to below high."""
    return lambda _, g: torch.randint(high, shape, generator=g)


def signs(*shape):
    """1 and -1."""
    return lambda dtype, g: record.Fixed((torch.randint(2, shape, generator=g) * 2 - 1).to(dtype))


def between(*shape):
    """Numbers from 0 to 1."""
    return lambda dtype, g: torch.rand(shape, generator=g, dtype=torch.float64).to(dtype)


def probabilities(*shape):
    """Positive numbers that add up to 1 along the last dim."""
    return lambda dtype, g: record.filled(shape, dtype, g).softmax(-1)


def logs(*shape, dim=-1):
    """Their logarithms."""
    return lambda dtype, g: record.filled(shape, dtype, g).log_softmax(dim)


def of(*values):
    """The integers given."""
    return lambda *_: torch.tensor(values)


def numbers(*values):
    """The numbers given."""
    return lambda dtype, _: torch.tensor(values, dtype=dtype)


def hidden(*shape):
    """A mask that is true here and there, but nowhere in the first column."""

    def make(_, g):
        mask = torch.rand(shape, generator=g) < 0.3
        mask[..., 0] = False
        return mask

    return make


def seen(*shape):
    """The opposite."""
    return lambda dtype, g: ~hidden(*shape)(dtype, g)


def places(shape, *args):
    """Where a max pool finds its elements."""
    pool = {1: torch.nn.functional.max_pool1d, 2: torch.nn.functional.max_pool2d, 3: torch.nn.functional.max_pool3d}[len(shape) - 2]
    return lambda dtype, g: pool(record.filled(shape, dtype, g), *args, return_indices=True)[1]


X = (5, 7)
W = scaled(3, *X)
REDUCTIONS = ({}, {"reduction": "sum"}, {"reduction": "none"})


def losses(*inputs, **args):
    """A loss by all reductions."""
    return [C(*inputs, **args, **r) for r in REDUCTIONS]


ACTIVATIONS = {
    **{name: [C(W)] for name in ("relu", "relu6", "hardsigmoid", "hardswish", "logsigmoid", "mish", "selu", "sigmoid", "silu", "softsign", "tanh", "tanhshrink")},
    **{name: [C(W)] for name in ("relu_", "selu_", "celu_", "elu_", "leaky_relu_", "hardtanh_", "rrelu_")},
    "celu": [C(W), C(W, alpha=0.5)], "elu": [C(W), C(W, alpha=0.5)], "gelu": [C(W), C(W, approximate="tanh")], "glu": [C((3, 4)), C((4, 3), dim=0)],
    "hardshrink": [C(W), C(W, lambd=0.2)], "softshrink": [C(W), C(W, lambd=0.2)], "hardtanh": [C(W), C(W, min_val=-2.0, max_val=0.5)],
    "leaky_relu": [C(W), C(W, negative_slope=0.2)], "prelu": [C((2, 3, 4), (1,)), C((2, 3, 4), (3,))], "rrelu": [C(W), C(W, lower=0.2, upper=0.3), C(W, lower=0.25, upper=0.25, training=True)],
    "softplus": [C(W), C(W, beta=3.0), C(W, threshold=2.0)], "threshold": [C(W, threshold=0.5, value=-2.0)], "threshold_": [C(W, threshold=0.5, value=-2.0)],
    **{name: [C(X, dim=1), C((2, 3, 4), dim=0), C((2, 3, 4), dim=-1, dtype="float64"), C((3, 4)), C((2, 2, 3))] for name in ("softmax", "log_softmax", "softmin")},
    # Logits so far apart that no draw changes the largest, and a dim of one class.
    "gumbel_softmax": [
        C(numbers([9e4, 0.0, -9e4], [0.0, 5e4, 2e4])), C(numbers([9e4, 0.0], [0.0, 5e4], [2e5, 3e5]), dim=0), C(numbers([9e4, 0.0, -9e4], [0.0, 5e4, 2e4]), hard=True), C(numbers([2e3, 0.0, -3e3]), tau=0.1),
        C((3, 1)), C((3, 1), hard=True), C(numbers([9e4, 0.0]), eps=1e-9),
    ],
    "dropout": [C(X, training=False), C(X, p=0.0), C(X, p=1.0)], "alpha_dropout": [C(X), C(X, p=0.0, training=True)], "feature_alpha_dropout": [C((2, 3, 4)), C((2, 3, 4), p=0.0, training=True)],
    "dropout1d": [C((2, 3, 4), training=False), C((3, 4), p=0.0)], "dropout2d": [C((2, 3, 4, 2), training=False), C((2, 3, 4, 2), p=0.0)], "dropout3d": [C((2, 3, 1, 2, 2), training=False), C((3, 1, 2, 2), p=1.0)],
}

CONVOLUTIONS = {
    "conv1d": [C((2, 4, 7), (6, 4, 3), (6,)), C((4, 7), (6, 2, 3), groups=2), C((2, 3, 8), (2, 3, 3), (2,), stride=2, padding=1, dilation=2), C((1, 2, 5), (3, 2, 4), padding="same"), C((1, 2, 5), (3, 2, 4), None, padding="valid")],
    "conv2d": [C((2, 3, 5, 4), (4, 3, 2, 3), (4,)), C((3, 5, 4), (4, 3, 3, 2), (4,), stride=(2, 1), padding=(1, 2), dilation=(1, 2)), C((2, 4, 4, 3), (4, 1, 2, 2), groups=4)],
    "conv3d": [C((1, 2, 3, 4, 3), (3, 2, 2, 2, 2), (3,)), C((1, 2, 3, 4, 3), (2, 1, 2, 3, 1), None, stride=(1, 2, 1), padding=(1, 1, 0), groups=2)],
    "conv_transpose1d": [C((2, 3, 4), (3, 2, 3), (2,)), C((4, 5), (4, 2, 3), stride=3, padding=1, output_padding=2, groups=2, dilation=2)],
    "conv_transpose2d": [C((2, 3, 2, 3), (3, 2, 3, 2), (2,)), C((1, 2, 3, 2), (2, 3, 2, 2), (3,), stride=(2, 3), padding=(1, 0), output_padding=(1, 2))],
    "conv_transpose3d": [C((1, 2, 2, 2, 3), (2, 3, 2, 1, 2), (3,)), C((1, 2, 2, 2, 3), (2, 1, 2, 2, 2), None, stride=2, padding=(1, 0, 1), groups=2)],
    "conv_tbc": [C((6, 2, 3), (3, 3, 4), (4,)), C((6, 2, 3), (3, 3, 4), (4,), pad=1)],
    "linear": [C((3, 4), (5, 4), (5,)), C((2, 3, 4), (5, 4)), C((4,), (5, 4), (5,)), C((3, 4), (4,))],
    "bilinear": [C((3, 4), (3, 2), (5, 4, 2), (5,)), C((2, 3, 4), (2, 3, 2), (5, 4, 2))],
    "embedding": [
        C(ints(6, 2, 5), (6, 3)), C(ints(6, 8), (6, 3), padding_idx=2), C(ints(6, 8), (6, 3), padding_idx=-1), C(ints(6, 8), (6, 3), max_norm=1.2), C(ints(6, 8), (6, 3), max_norm=1.0, norm_type=1.0),
        C(ints(4, 9), (4, 2), scale_grad_by_freq=True),
    ],
    "embedding_bag": [
        C(ints(6, 3, 4), (6, 3)), C(ints(6, 7), (6, 3), of(0, 2, 2, 5)), C(ints(6, 3, 4), (6, 3), mode="sum"), C(ints(6, 3, 4), (6, 3), mode="max"), C(ints(6, 3, 4), (6, 3), None, mode="sum", per_sample_weights=fixed(3, 4)),
        C(ints(6, 7), (6, 3), of(0, 2, 7), include_last_offset=True), C(ints(6, 3, 4), (6, 3), padding_idx=1), C(ints(6, 3, 4), (6, 3), max_norm=1.2), C(ints(6, 3, 4), (6, 3), max_norm=1.2, norm_type=1.0),
        C(ints(4, 3, 4), (4, 3), scale_grad_by_freq=True),
    ],
}

POOLS = {
    "max_pool1d": [C((2, 3, 7), kernel_size=2), C((2, 8), kernel_size=3, stride=2, padding=1, dilation=2, ceil_mode=True), C((3, 6), kernel_size=3, stride=1, return_indices=True)],
    "max_pool2d": [C((2, 3, 6, 5), kernel_size=2), C((2, 6, 6), kernel_size=(3,), stride=[2]), C((2, 6, 6), kernel_size=(3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), ceil_mode=True), C((1, 2, 4, 6), kernel_size=2, return_indices=True)],
    "max_pool3d": [C((1, 2, 4, 5, 4), kernel_size=2), C((1, 2, 3, 4, 4), kernel_size=(2, 3, 1), stride=(1, 2, 2), padding=(1, 1, 0), ceil_mode=True, return_indices=True), C((1, 4, 5, 5), kernel_size=2, dilation=2)],
    "max_pool1d_with_indices": [C((2, 3, 7), kernel_size=2)], "max_pool2d_with_indices": [C((2, 3, 6, 5), kernel_size=2)], "max_pool3d_with_indices": [C((1, 2, 4, 5, 4), kernel_size=2)],
    "avg_pool1d": [C((2, 3, 7), kernel_size=2), C((3, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True), C((3, 8), kernel_size=3, padding=1, count_include_pad=False)],
    "avg_pool2d": [C((2, 3, 6, 5), kernel_size=2), C((2, 6, 5), kernel_size=(3, 2), stride=(2, 1), padding=(1, 1), ceil_mode=True, count_include_pad=False), C((2, 4, 4), kernel_size=2, divisor_override=3)],
    "avg_pool3d": [C((1, 2, 4, 4, 5), kernel_size=2), C((2, 3, 4, 5), kernel_size=(2, 3, 2), stride=(1, 2, 2), padding=(1, 1, 0), ceil_mode=True, count_include_pad=False), C((1, 3, 3, 3), kernel_size=2, stride=1, divisor_override=5)],
    "lp_pool1d": [C((2, 2, 7), norm_type=2, kernel_size=3), C(above(2, 8), norm_type=3.0, kernel_size=3, stride=2, ceil_mode=True), C((2, 6), norm_type=float("inf"), kernel_size=2)],
    "lp_pool2d": [C((1, 2, 4, 6), norm_type=2.0, kernel_size=2), C(above(2, 5, 5), norm_type=1.5, kernel_size=(2, 3), stride=(2, 1), ceil_mode=True)],
    "lp_pool3d": [C((1, 2, 4, 4, 3), norm_type=2.0, kernel_size=2), C(above(1, 3, 3, 3), norm_type=1.0, kernel_size=(1, 2, 2), stride=1, ceil_mode=True)],
    "adaptive_max_pool1d": [C((2, 2, 7), output_size=3), C((2, 6), output_size=4, return_indices=True)], "adaptive_max_pool1d_with_indices": [C((2, 2, 7), output_size=3)],
    "adaptive_max_pool2d": [C((2, 2, 3, 7), output_size=(None, 3)), C((2, 5, 4), output_size=2, return_indices=True)], "adaptive_max_pool2d_with_indices": [C((2, 2, 3, 7), output_size=2)],
    "adaptive_max_pool3d": [C((1, 2, 3, 5, 4), output_size=2), C((2, 3, 5, 4), output_size=(1, 2, 3), return_indices=True)], "adaptive_max_pool3d_with_indices": [C((1, 2, 3, 5, 4), output_size=2)],
    "adaptive_avg_pool1d": [C((2, 2, 7), output_size=3), C((2, 3), output_size=5)], "adaptive_avg_pool2d": [C((2, 2, 5, 4), output_size=(3, None)), C((2, 5, 4), output_size=1)], "adaptive_avg_pool3d": [C((1, 2, 3, 5, 4), output_size=(2, 3, 1)), C((2, 3, 5, 4), output_size=2)],
    **{f"fractional_max_pool2d{also}": [C((2, 3, 7, 9), kernel_size=2, output_size=(3, 5), _random_samples=between(2, 3, 2)), C((3, 6, 8), kernel_size=(3, 2), output_ratio=(0.6, 0.4), _random_samples=between(1, 3, 2))] for also in ("", "_with_indices")},
    **{f"fractional_max_pool3d{also}": [C((1, 2, 4, 5, 6), kernel_size=2, output_size=(2, 1, 4), _random_samples=between(1, 2, 3)), C((2, 4, 5, 6), kernel_size=2, output_ratio=(0.5, 0.7, 0.4), _random_samples=between(1, 2, 3))] for also in ("", "_with_indices")},
    "max_unpool1d": [C((2, 2, 3), places((2, 2, 6), 2), kernel_size=2), C((1, 2, 4), places((1, 2, 7), 3, 2, 1), kernel_size=3, stride=2, padding=1), C((2, 2, 3), places((2, 2, 7), 2), kernel_size=2, output_size=[7])],
    "max_unpool2d": [C((2, 2, 2, 3), places((2, 2, 4, 6), 2), kernel_size=2), C((1, 2, 2, 2), places((1, 2, 5, 7), (2, 3)), kernel_size=(2, 3), output_size=[5, 7])],
    "max_unpool3d": [C((1, 2, 2, 2, 1), places((1, 2, 4, 4, 2), 2), kernel_size=2), C((1, 1, 2, 2, 2), places((1, 1, 3, 3, 3), 2, 1), kernel_size=2, stride=1)],
}

NORMALIZATIONS = {
    "batch_norm": [
        C((4, 3), fixed(3), positive(3)), C((2, 3, 4), fixed(3), positive(3), (3,), (3,)), C((4, 3), fixed(3), positive(3), (3,), (3,), training=True), C((2, 3, 2, 2), None, None, training=True),
        C((4, 3), fixed(3), positive(3), training=True, momentum=0.5), C((4, 3), fixed(3), positive(3), eps=0.1),
    ],
    "instance_norm": [C((2, 3, 4)), C((2, 3, 4), None, None, (3,), (3,)), C((2, 3, 4), fixed(3), positive(3), use_input_stats=False), C((2, 3, 2, 2), fixed(3), positive(3), momentum=0.5, eps=0.1)],
    "group_norm": [C((2, 4, 3), num_groups=2), C((2, 4, 3), num_groups=2, eps=0.1), C((2, 6), (6,), (6,), num_groups=3, names=("input", "weight", "bias"))],
    "layer_norm": [C((3, 2, 4), normalized_shape=(4,)), C((3, 2, 4), (2, 4), (2, 4), normalized_shape=(2, 4), names=("input", "weight", "bias")), C((3, 4), normalized_shape=(4,), eps=0.1)],
    "rms_norm": [C((3, 2, 4), normalized_shape=(4,)), C((3, 2, 4), (2, 4), normalized_shape=(2, 4), names=("input", "weight")), C((3, 4), normalized_shape=(4,), eps=0.1)],
    "local_response_norm": [C((2, 5, 3), size=3), C((2, 5, 3), size=2, alpha=0.5), C((2, 5, 3), size=2, alpha=0.5, beta=0.5), C((2, 5, 2, 2), size=4, alpha=0.5, k=2.0)],
    "normalize": [
        C(X), C((2, 3, 4), dim=-1), C((2, 3, 4), dim=(0, 2)), C((4,), dim=0), C(numbers([0.0, 0.0], [0.0, 1.0])), C(X, eps=4.0), *(C(X, p=p) for p in (0.0, 1.0, 3.0, 0.5, -1.0, float("inf"), float("-inf"))),
        C(numbers([2.0, -2.0, 1.0, 0.0]), p=float("inf")),
    ],
    "cosine_similarity": [C((3, 4), (3, 4)), C((3, 4), (1, 4), dim=0), C((2, 3, 4), (3, 1), dim=-1, eps=2.0)],
    "pairwise_distance": [C((3, 4), (3, 4)), C((3, 4), (4,), p=1.0), C((3, 4), (3, 4), p=float("inf"), eps=0.1), C((3, 4), (3, 4), keepdim=True)],
    "pdist": [C((4, 3)), *(C((4, 3), p=p) for p in (0.0, 1.0, 1.5, 3.0, 0.5, float("inf"))), C(numbers([1.0, 2.0], [1.0, 2.0], [3.0, 4.0])), C(numbers([1.0, 2.0], [1.0, 2.0], [3.0, 4.0]), p=float("inf")), C((1, 3))],
}

# Places at, beside and beyond the outermost elements and their edges.
CORNERS = numbers([[[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0], [-1.25, 0.5], [1.75, -2.5]], [[0.25, -0.75], [-3.5, 4.0], [1.0, -1.0], [0.5, 0.5], [-0.5, 1.5]]])
SAMPLED = [
    *(C((2, 2, 4, 3), scaled(0.8, 2, 3, 2, 2), mode=mode, padding_mode=padding, align_corners=aligned) for mode in ("bilinear", "nearest", "bicubic") for padding in ("zeros", "border", "reflection") for aligned in (False, True)),
    *(C((2, 2, 3, 2, 4), scaled(0.8, 2, 1, 3, 2, 3), mode=mode, padding_mode=padding, align_corners=aligned) for mode in ("bilinear", "nearest", "bicubic") for padding in ("zeros", "border", "reflection") for aligned in (False, True)),
    *(C((1, 2, 3, 4), CORNERS, mode=mode, padding_mode=padding) for mode in ("bilinear", "nearest", "bicubic") for padding in ("zeros", "border", "reflection")),
    C((2, 2, 4, 3), scaled(0.8, 2, 3, 2, 2)), C((1, 2, 1, 1), scaled(0.8, 1, 3, 2, 2), padding_mode="reflection", align_corners=True), C((1, 2, 1, 3), scaled(0.8, 1, 3, 2, 2), padding_mode="border"),
]

SPATIAL = {
    "pad": [
        C((2, 3, 4), pad=(1, 2)), C((2, 3, 4), pad=(1, -2), value=1.5), C((2, 3, 4), pad=(1, 0, 2, 1, 0, 3)), C((1, 2, 1, 3, 2), pad=(1, 0, 0, 1, -1, 2, 1, 1, 2, 0), value=-1.0), C((2, 1, 2, 1, 2, 2), pad=(0, 1, 1, 0, 0, 0, 0, 2, 1, 0, -1, 1)),
        C((2, 3, 4), pad=()), *(C((2, 3, 4), pad=(2, 1), mode=mode) for mode in ("reflect", "replicate", "circular")), *(C((1, 2, 3, 4), pad=(2, 1, -1, 2), mode=mode) for mode in ("reflect", "replicate", "circular")),
        *(C((1, 2, 3, 2, 3), pad=(1, 1, 0, 1, 2, 0), mode=mode) for mode in ("reflect", "replicate", "circular")), C(ints(9, 2, 3), pad=(1, 1), value=7),
    ],
    "pixel_shuffle": [C((1, 4, 2, 3), upscale_factor=2)], "pixel_unshuffle": [C((1, 2, 4, 6), downscale_factor=2)], "channel_shuffle": [C((2, 6, 2), groups=3)], "native_channel_shuffle": [C(fixed(2, 6, 2, 2), groups=3)],
    "unfold": [C((2, 2, 4, 3), kernel_size=2), C((2, 2, 4, 3), kernel_size=(2, 3), padding=1), C((2, 5, 6), kernel_size=2, dilation=2, stride=(1, 2))],
    "fold": [C((2, 8, 6), output_size=(4, 3), kernel_size=2), C((2, 8, 4), output_size=(4, 3), kernel_size=2, stride=2, padding=(0, 1)), C((8, 3), output_size=(5, 3), kernel_size=2, dilation=2)],
    "interpolate": [
        C((1, 2, 4, 5), size=7), C((1, 2, 4, 5), size=(3, 9), mode="nearest-exact"), C((1, 2, 4, 5), scale_factor=1.6, mode="bicubic", align_corners=False), C((1, 2, 4, 5), scale_factor=(0.6, 2.0), mode="bilinear", align_corners=True), C((1, 2, 5), scale_factor=1.3, mode="linear", recompute_scale_factor=True),
        C((1, 2, 3, 2, 4), size=(2, 3, 5), mode="trilinear"), C((1, 2, 5), size=3, mode="area"), *(C((2, 2, 7, 8), mode=mode, size=size, antialias=True) for mode, size in (("bilinear", (3, 4)), ("bicubic", (9, 2)), ("lanczos", (4, 11)), ("bilinear", (7, 3)))),
        C((2, 2, 7, 8), mode="bilinear", scale_factor=0.4, align_corners=True, antialias=True), C((2, 2, 7, 8), mode="bicubic", scale_factor=(0.3, 1.6), antialias=True), C((2, 2, 7, 8), mode="lanczos", scale_factor=0.6, recompute_scale_factor=True, antialias=True),
    ],
    "upsample": [C((1, 2, 4, 5), size=7), C((1, 2, 4, 5), scale_factor=2.0, mode="bilinear", align_corners=True)], "upsample_nearest": [C((1, 2, 4, 5), size=(3, 7)), C((1, 2, 4), scale_factor=2.0)],
    "upsample_bilinear": [C((1, 2, 4, 5), size=(3, 7)), C((1, 2, 4, 5), scale_factor=2.0)],
    "affine_grid": [C((2, 2, 3), size=(2, 3, 3, 4)), C((1, 2, 3), size=(1, 1, 1, 4), align_corners=False), C((1, 2, 3), size=(1, 1, 2, 3), align_corners=True), C((2, 3, 4), size=(2, 1, 2, 3, 2)), C((1, 3, 4), size=(1, 1, 2, 1, 3), align_corners=True)],
    "grid_sample": SAMPLED,
    "one_hot": [C(ints(5, 3, 4)), C(ints(5, 4), num_classes=7), C(ints(3), num_classes=4)],
}

# The projections' and the biases' shapes, for embeddings of 4.
PROJECTIONS = scaled(0.5, 12, 4)
HEADS = PROJECTIONS, (12,), None, None
ATTENDED = ("query", "key", "value", "in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj_weight", "out_proj_bias")


def heads(*shapes, names=ATTENDED, **args):
    """A call of multi_head_attention_forward; what isn't given is PyTorch's usual."""
    usual = {"embed_dim_to_check": 4, "num_heads": 2, "add_zero_attn": False, "dropout_p": 0.0}
    return C(*shapes, scaled(0.5, 4, 4), (4,), names=names, **(usual | args))


SEQUENCES = {
    "scaled_dot_product_attention": [
        C((2, 3, 4), (2, 5, 4), (2, 5, 3)), C((3, 4), (5, 4), (5, 4)), C((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4), (3, 5)), C((2, 3, 4), (2, 5, 4), (2, 5, 4), seen(3, 5)), C((2, 3, 4), (2, 5, 4), (2, 5, 4), is_causal=True), C((2, 3, 4), (2, 5, 4), (2, 5, 4), scale=0.3),
        C((1, 4, 3, 2), (1, 2, 5, 2), (1, 2, 5, 2), enable_gqa=True), C((2, 3, 4), (2, 5, 4), (2, 5, 4), dropout_p=0.0),
    ],
    "multi_head_attention_forward": [
        heads((3, 2, 4), (5, 2, 4), (5, 2, 4), *HEADS), heads((3, 4), (5, 4), (5, 4), *HEADS), heads((3, 2, 4), (5, 2, 4), (5, 2, 4), PROJECTIONS, None, None, None), heads((3, 2, 4), (5, 2, 4), (5, 2, 4), PROJECTIONS, (12,), (1, 1, 4), (1, 1, 4)),
        heads((3, 2, 4), (5, 2, 4), (5, 2, 4), *HEADS, add_zero_attn=True), heads((3, 2, 4), (5, 2, 4), (5, 2, 4), *HEADS, training=False, dropout_p=0.5), heads((3, 2, 4), (5, 2, 4), (5, 2, 4), *HEADS, key_padding_mask=hidden(2, 5)), heads((3, 2, 4), (5, 2, 4), (5, 2, 4), *HEADS, need_weights=False),
        heads((3, 2, 4), (5, 2, 4), (5, 2, 4), *HEADS, attn_mask=hidden(3, 5)), heads((3, 2, 4), (5, 2, 4), (5, 2, 4), *HEADS, attn_mask=fixed(4, 3, 5)), heads((3, 2, 4), (5, 2, 4), (5, 2, 4), *HEADS, average_attn_weights=False),
        heads((3, 2, 4), (3, 2, 4), (3, 2, 4), *HEADS, attn_mask=lambda *_: torch.ones(3, 3, dtype=torch.bool).triu(1), is_causal=True, need_weights=False),
        heads((3, 2, 4), (5, 2, 3), (5, 2, 2), None, (12,), None, None, use_separate_proj_weight=True, q_proj_weight=fixed(4, 4), k_proj_weight=fixed(4, 3), v_proj_weight=fixed(4, 2)),
    ],
}

CTC = ((5, 2, 4), of([1, 1, 3], [2, 3, 0]), of(5, 4), of(3, 2))
TRIPLET = ((3, 4), (3, 4), (3, 4))

LOSSES = {
    "binary_cross_entropy": [*losses(between(3, 4), between(3, 4)), C(between(3, 4), between(3, 4), positive(4))],
    "binary_cross_entropy_with_logits": [*losses((3, 4), between(3, 4)), C((3, 4), between(3, 4), positive(3, 1)), C((3, 4), between(3, 4), pos_weight=positive(4))],
    "cosine_embedding_loss": [*losses((3, 4), (3, 4), signs(3)), C((3, 4), (3, 4), signs(3), margin=0.3)],
    "cross_entropy": [
        *losses((3, 4), ints(4, 3)), C((3, 4), ints(4, 3), positive(4)), C((3, 4), of(1, 3, 1), ignore_index=1), C((3, 4), ints(4, 3), label_smoothing=0.2), C((3, 4), probabilities(3, 4)), C((2, 4, 3), ints(4, 2, 3)), C((4,), ints(4)),
    ],
    "ctc_loss": [*losses(*CTC), C(*CTC, blank=2), C((2, 2, 4), of([1, 1, 3], [2, 3, 0]), of(2, 2), of(3, 2), zero_infinity=True), C((5, 4), of(1, 3), of(5), of(2))],
    "gaussian_nll_loss": [*losses((3, 4), (3, 4), above(3, 4)), C((3, 4), (3, 4), above(3), full=True), C((3, 4), (3, 4), above(3, 1), eps=0.5)],
    "hinge_embedding_loss": [*losses((3, 4), signs(3, 4)), C((3, 4), signs(3, 4), margin=0.5)],
    "huber_loss": [*losses((3, 4), (3, 4)), C((3, 4), (3, 4), delta=0.5), *losses((3, 4), (3, 4), names=("input", "target")), *(C((3, 4), (3, 4), above(3, 4), names=("input", "target", "weight"), **r) for r in REDUCTIONS)],
    "kl_div": [*losses(logs(3, 4), probabilities(3, 4)), C(logs(3, 4), probabilities(3, 4), reduction="batchmean"), C(logs(3, 4), logs(3, 4), log_target=True)],
    "l1_loss": [*losses((3, 4), (3, 4)), *(C((3, 4), (3, 4), above(3, 4), names=("input", "target", "weight"), **r) for r in REDUCTIONS)],
    "linear_cross_entropy": [
        *losses((3, 4), (5, 4), ints(5, 3)), C((3, 4), (5, 4), ints(5, 3), linear_bias=fixed(5)), C((3, 4), (5, 4), ints(5, 3), weight=positive(5)), C((3, 4), (5, 4), of(1, 3, 1), ignore_index=1), C((3, 4), (5, 4), ints(5, 3), label_smoothing=0.2),
        C((3, 4), (5, 2, 4), ints(5, 3, 2)), C((4,), (5, 4), ints(5)),
    ],
    "margin_ranking_loss": [*losses((3,), (3,), signs(3)), C((3,), (3,), signs(3), margin=0.5)],
    "mse_loss": [*losses((3, 4), (3, 4)), *(C((3, 4), (3, 4), above(3, 4), names=("input", "target", "weight"), **r) for r in REDUCTIONS), C((3, 4), (3, 4), size_average=False), C((3, 4), (3, 4), reduce=False)],
    "multi_margin_loss": [*losses((3, 4), ints(4, 3)), C((3, 4), ints(4, 3), p=2), C((3, 4), ints(4, 3), margin=0.5), C((3, 4), ints(4, 3), weight=positive(4))],
    "multilabel_margin_loss": losses((2, 4), of([1, 3, -1, 0], [2, -1, 1, 1])),
    "multilabel_soft_margin_loss": [*losses((3, 4), between(3, 4)), C((3, 4), between(3, 4), positive(4))],
    "nll_loss": [*losses(logs(3, 4), ints(4, 3)), C(logs(3, 4), ints(4, 3), positive(4)), C(logs(3, 4), of(1, 3, 1), ignore_index=1), C(logs(2, 4, 3, dim=1), ints(4, 2, 3))],
    "poisson_nll_loss": [*losses((3, 4), above(3, 4)), C(above(3, 4), above(3, 4), log_input=False), C((3, 4), scaled(3, 3, 4), full=True), C(above(3, 4), above(3, 4), log_input=False, eps=0.5)],
    "smooth_l1_loss": [*losses((3, 4), (3, 4)), C((3, 4), (3, 4), beta=0.5), C((3, 4), (3, 4), beta=0.0)],
    "soft_margin_loss": losses((3, 4), signs(3, 4)),
    "triplet_margin_loss": [*losses(*TRIPLET), C(*TRIPLET, margin=3.0), C(*TRIPLET, p=1.0), C(*TRIPLET, margin=3.0, eps=0.1), C(*TRIPLET, margin=3.0, swap=True)],
    "triplet_margin_with_distance_loss": [*losses(*TRIPLET), C(*TRIPLET, margin=3.0), C(*TRIPLET, margin=3.0, swap=True)],
}


def functions(out):
    """Functions of torch.nn.functional, from a seed of the record's name."""
    for table in (ACTIVATIONS, CONVOLUTIONS, POOLS, NORMALIZATIONS, SPATIAL, SEQUENCES, LOSSES):
        for name, calls in table.items():
            for i, call in enumerate(calls):
                for dtype in BOTH:
                    g = torch.Generator().manual_seed(zlib.crc32(f"{name} {i}".encode()))
                    inputs, keywords = call.made(dtype, g)
                    path = out / "function" / f"{name}{f'_{i}' if i else ''}_{word(dtype)}.safetensors"
                    record.function(path, name, dtype, call.plain(), inputs, keywords, call.names)
