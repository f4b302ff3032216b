"""Draws what random_test.go compares with, by PyTorch 2.15: python record.py writes draws.json (bits as integers)."""

import json
import pathlib

import torch

cases = []
for seed in (0, 42, 2**32 - 1, 2**32 + 5, 2**63):
    for n in (1, 2, 5, 15, 16, 17, 31, 32, 100):
        for dtype, as_int in ((torch.float32, torch.int32), (torch.float64, torch.int64)):
            torch.manual_seed(seed)
            uniform = torch.empty(n, dtype=dtype).uniform_(-1.5, 0.7)
            normal = torch.empty(n, dtype=dtype).normal_(-1.0, 3.0)
            again = torch.empty(3, dtype=dtype).normal_()
            perm = torch.randperm(n)
            cases.append({
                "seed": seed, "n": n, "dtype": str(dtype).removeprefix("torch."),
                "uniform": uniform.view(as_int).tolist(), "normal": normal.view(as_int).tolist(), "again": again.view(as_int).tolist(),
                "perm": perm.tolist(), "randint": torch.randint(-7, 90, (4,)).tolist(), "wide": torch.randint(0, 2**40, (2,)).tolist(),
            })
pathlib.Path(__file__).with_name("draws.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
