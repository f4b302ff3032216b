"""Records that must fail."""

import torch
from torch import nn

from .. import record
from ..spec import Made as M


def bad(out):
    """What the suite must not let pass."""
    x, dtype = torch.ones(2, 3), torch.float32
    torch.manual_seed(0)
    made = M(nn.Linear, 3, 2)
    right = out / "right.safetensors"
    record.module(right, nn.Sequential(made.build(dtype)), [made.spec()], made.code(), [x], dtype, "train", 0)
    whole = right.read_bytes()
    right.unlink()
    (out / "cut_short.safetensors").write_bytes(whole[:-9])
    (out / "wrong_value.safetensors").write_bytes(whole[:-2] + bytes([whole[-2] ^ 0x40]) + whole[-1:])
    (out / "broken_spec.safetensors").write_bytes(whole.replace(b'\\"kind\\"', b'\\"kimd\\"'))
    (out / "unsupported.safetensors").write_bytes(whole.replace(b'\\"Linear\\"', b'\\"Lineal\\"'))
