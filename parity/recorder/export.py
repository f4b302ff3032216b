"""Models as files that sequential.Load opens."""

import json
import os
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from .spec import Unsupported, described


def load(model, path):
    """Gives a model the weights of a state dict's file."""
    if str(path).endswith(".safetensors"):
        model.load_state_dict(load_file(path))
    else:
        model.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))


def save(model, path):
    """Writes a torch.nn.Sequential, or one module of torch.nn, whole or not at all."""
    model = model if isinstance(model, nn.Sequential) else nn.Sequential(model)
    modules = described(model)["args"]["modules"]
    state = {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
    dtypes = {str(p.dtype).removeprefix("torch.") for p in model.parameters()}
    if not dtypes <= {"float32", "float64"} or len(dtypes) > 1:
        raise Unsupported(f"parameters of {', '.join(sorted(dtypes))}, want float32 or float64")
    metadata = {"architecture": json.dumps(modules), "format": "pt", "dtype": dtypes.pop() if dtypes else "float32"}
    aside = Path(f"{path}.{os.getpid()}.tmp")
    try:
        save_file(state, aside, metadata)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
