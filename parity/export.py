"""Writes a model of PyTorch to one file that sequential.Load opens in Go, the architecture in its metadata.

    python parity/export.py mymodel:build model.safetensors                       the weights that build gives
    python parity/export.py mymodel:build model.safetensors --weights trained.pt  a state dict's, .pt or .safetensors

In a program of your own: from recorder.export import save; save(model, "model.safetensors").
"""

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from recorder.export import load, save  # noqa: E402
from recorder.spec import Unsupported  # noqa: E402


def main():
    """Reads the command line."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("module", metavar="FILE:FUNCTION", help="a function in a file of this folder that builds a torch.nn.Sequential, or one module of torch.nn")
    p.add_argument("out", metavar="FILE")
    p.add_argument("--weights", metavar="FILE", help="a state dict to load first")
    args = p.parse_args()
    sys.path.insert(0, str(Path.cwd()))
    name, _, function = args.module.partition(":")
    model = getattr(importlib.import_module(name), function or "build")()
    if args.weights:
        load(model, args.weights)
    try:
        save(model, args.out)
    except Unsupported as problem:
        sys.exit(f"no model for aegis: {problem}")
    print(f'{args.out}: open it in Go by sequential.Load("{args.out}")')


if __name__ == "__main__":
    main()
