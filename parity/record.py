"""Records what PyTorch does, so that aegis can be held to it.

    python parity/record.py                                    every checked-in record, below parity/testdata
    python parity/record.py --module mymodel:build --input 4,3 a model of your own, below records/
    python parity/record.py --database DIR                     PyTorch's own test database, below DIR
"""

import argparse
import importlib
import sys
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from recorder import cases, record  # noqa: E402
from recorder.export import load  # noqa: E402
from recorder.spec import Unsupported, described  # noqa: E402


def drawn(text, dtype, generator):
    """An input: normal numbers of the sizes 4,3, or indices below 10 for 4,3:10."""
    sizes, _, high = text.partition(":")
    shape = tuple(int(d) for d in sizes.split(",") if d)
    return torch.randint(0, int(high), shape, generator=generator) if high else record.filled(shape, dtype, generator)


def own_model(args):
    """Records the model that a function of the person's own builds."""
    sys.path.insert(0, str(Path.cwd()))
    name, _, function = args.module.partition(":")
    build = getattr(importlib.import_module(name), function or "build")
    dtype = record.DTYPES[args.dtype]
    torch.set_default_dtype(dtype)
    torch.manual_seed(args.seed + 1)
    other = build().state_dict()
    torch.manual_seed(args.seed)
    model = build()
    drawn_here = any(not torch.equal(v, other[k]) for k, v in model.state_dict().items())  # else build seeds or loads by itself
    if not isinstance(model, torch.nn.Sequential):
        model = torch.nn.Sequential(model)
    if args.weights:
        load(model, args.weights)
    try:
        modules = described(model)["args"]["modules"]
    except Unsupported as problem:
        sys.exit(f"the record format can't hold this model: {problem}")
    inputs = [drawn(text, dtype, torch.Generator().manual_seed(i)) for i, text in enumerate(args.input)]
    path = Path(args.out) / f"{name}_{args.dtype}_{args.mode}.safetensors"
    record.module(path, model, modules, f"{args.module}()", inputs, dtype, args.mode, args.seed if drawn_here and not args.weights else None)
    print(f"{path}: check it by AEGIS_RECORDS={Path(args.out).resolve()} go test ./parity")


def main():
    """Reads the command line."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--module", metavar="FILE:FUNCTION", help="a function in a file of this folder that builds a torch.nn.Sequential, or one module of torch.nn")
    p.add_argument("--database", metavar="DIR", help="make records of PyTorch's own test database there")
    p.add_argument("--input", metavar="SIZES", action="append", default=[], help="an input's sizes, as 4,3; 4,3:10 draws indices below 10")
    p.add_argument("--weights", metavar="FILE", help="a state dict to load first, .pt or .safetensors; else the weights are drawn from the seed")
    p.add_argument("--dtype", choices=record.DTYPES, default="float32")
    p.add_argument("--mode", choices=("train", "eval"), default="train")
    p.add_argument("--seed", type=int, default=42, help="torch.manual_seed before the model is built (42)")
    p.add_argument("--out", metavar="DIR", help="where records go (records, or parity/testdata for the checked-in ones)")
    args = p.parse_args()
    if args.database:
        from recorder import database

        database.all_records(Path(args.database))
        database.all_optimizers(Path(args.database))
    elif args.module:
        if not args.input:
            p.error("--module wants --input")
        args.out = args.out or "records"
        own_model(args)
    else:
        cases.all_records(Path(args.out or HERE / "testdata"))


if __name__ == "__main__":
    main()
