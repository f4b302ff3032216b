"""CosineSimilarity and PairwiseDistance."""

from torch import nn

from .. import record
from ..spec import Made as M


def pair(*shapes):
    """Two inputs of normal numbers."""
    return lambda dtype, g: ([record.filled(shape, dtype, g) for shape in shapes], {})


MODULES = {
    "cosine_similarity": ([M(nn.CosineSimilarity)], pair((3, 4), (3, 4)), "train"),
    "cosine_similarity_dim": ([M(nn.CosineSimilarity, dim=-2, eps=2.0)], pair((2, 3, 4), (2, 3, 4)), "eval"),
    "cosine_similarity_broadcast": ([M(nn.CosineSimilarity, dim=2)], pair((2, 1, 4), (3, 4)), "train"),
    "cosine_similarity_empty": ([M(nn.CosineSimilarity)], pair((0, 4), (0, 4)), "train"),
    "pairwise_distance": ([M(nn.PairwiseDistance)], pair((3, 4), (3, 4)), "train"),
    "pairwise_distance_1d": ([M(nn.PairwiseDistance)], pair((4,), (4,)), "eval"),
    "pairwise_distance_keepdim": ([M(nn.PairwiseDistance, keepdim=True)], pair((2, 3, 4), (2, 3, 4)), "train"),
    "pairwise_distance_broadcast": ([M(nn.PairwiseDistance)], pair((2, 1, 4), (3, 4)), "train"),
    **{f"pairwise_distance_{p}": ([M(nn.PairwiseDistance, p=p, eps=0.01)], pair((3, 4), (3, 4)), "train")
       for p in (0.0, 0.5, 1.0, 1.5, 3.0, -1.0, float("inf"), float("-inf"))},
}
