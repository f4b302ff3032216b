"""Embeddings, products of two inputs, and activations with parameters."""

import torch
from torch import nn

from .. import record
from ..spec import Made as M


def indices(high, *shape):
    """A case's input of indices."""
    return lambda dtype, g: ([torch.randint(0, high, shape, generator=g)], {})


def bags(given, starts, weighted=False):
    """Bags of indices, and weights of samples: the third input, so that it has a gradient."""

    def inputs(dtype, g):
        x = torch.tensor(given)
        all_ = [x] if starts is None else [x, torch.tensor(starts)]
        return [*all_, record.filled(x.shape, dtype, g)] if weighted else all_, {}

    return inputs


def pair(*shapes):
    """Several inputs."""
    return lambda dtype, g: ([record.filled(shape, dtype, g) for shape in shapes], {})


RAGGED = ([1, 2, 2, 0, 4, 1, 3], [0, 2, 2, 5])

MODULES = {
    "embedding": ([M(nn.Embedding, 7, 3)], indices(7, 2, 4), "train"), "embedding_scalar": ([M(nn.Embedding, 7, 3)], indices(7), "eval"),
    "embedding_padding": ([M(nn.Embedding, 5, 3, padding_idx=-2)], indices(5, 9), "train"), "embedding_freq": ([M(nn.Embedding, 4, 3, scale_grad_by_freq=True)], indices(4, 9), "train"),
    "embedding_max_norm": ([M(nn.Embedding, 6, 3, max_norm=1.0)], indices(4, 5), "train"), "embedding_max_norm_1": ([M(nn.Embedding, 6, 3, max_norm=2.0, norm_type=1.0)], indices(4, 5), "eval"),
    "embedding_empty": ([M(nn.Embedding, 6, 3)], indices(4, 0, 2), "train"),
    "embedding_linear": ([M(nn.Embedding, 6, 4), M(nn.Flatten), M(nn.Linear, 12, 2)], indices(6, 5, 3), "train"),
    "embedding_bag": ([M(nn.EmbeddingBag, 5, 3)], bags([[1, 2, 2], [0, 4, 1]], None), "train"), "embedding_bag_offsets": ([M(nn.EmbeddingBag, 5, 3)], bags(*RAGGED), "train"),
    "embedding_bag_sum": ([M(nn.EmbeddingBag, 5, 3, mode="sum")], bags(*RAGGED), "train"), "embedding_bag_max": ([M(nn.EmbeddingBag, 5, 3, mode="max")], bags(*RAGGED), "train"),
    "embedding_bag_last": ([M(nn.EmbeddingBag, 5, 3, include_last_offset=True)], bags(RAGGED[0], [0, 3, 7]), "eval"),
    "embedding_bag_padding": ([M(nn.EmbeddingBag, 5, 3, padding_idx=2)], bags(*RAGGED), "train"), "embedding_bag_max_padding": ([M(nn.EmbeddingBag, 5, 3, mode="max", padding_idx=-1)], bags(*RAGGED), "train"),
    "embedding_bag_freq": ([M(nn.EmbeddingBag, 5, 3, mode="sum", scale_grad_by_freq=True)], bags(*RAGGED), "train"),
    "embedding_bag_weights": ([M(nn.EmbeddingBag, 5, 3, mode="sum")], bags(*RAGGED, weighted=True), "train"),
    "embedding_bag_max_norm": ([M(nn.EmbeddingBag, 5, 3, max_norm=1.0)], bags(*RAGGED), "train"),
    "bilinear": ([M(nn.Bilinear, 3, 4, 5)], pair((6, 3), (6, 4)), "train"), "bilinear_no_bias": ([M(nn.Bilinear, 2, 3, 1, bias=False)], pair((2, 5, 2), (2, 5, 3)), "train"),
    "bilinear_1d": ([M(nn.Bilinear, 2, 3, 4)], pair((2,), (3,)), "eval"),
    "glu": ([M(nn.GLU)], (4, 6), "train"), "glu_0": ([M(nn.GLU, 0)], (4, 3), "train"), "glu_1": ([M(nn.GLU, dim=1)], (2, 4, 3), "eval"),
    "prelu": ([M(nn.PReLU)], (4, 5), "train"), "prelu_channels": ([M(nn.PReLU, 3, init=0.4)], (2, 3, 4), "train"), "prelu_1d": ([M(nn.PReLU)], (5,), "eval"),
    "rrelu_eval": ([M(nn.RReLU)], (4, 5), "eval"), "rrelu_equal": ([M(nn.RReLU, 0.3, 0.3)], (4, 5), "train"),
}

