"""The dtypes that everything is recorded in."""

import torch

BOTH = (torch.float32, torch.float64)


def word(dtype):
    """float32 for torch.float32."""
    return str(dtype).removeprefix("torch.")
