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
from recorder.spec import Unsupported, described  # noqa: E402


def own_model(args):
    """Records the model that a function of the person's own builds."""
    sys.path.insert(0, str(Path.cwd()))
    name, _, function = args.module.partition(":")
    build = getattr(importlib.import_module(name), function or "build")
    dtype = record.DTYPES[args.dtype]
    torch.set_default_dtype(dtype)
    torch.manual_seed(args.seed)
    model = build()
    if not isinstance(model, torch.nn.Sequential):
        sys.exit(f"{args.module} builds a {type(model).__name__}, want a torch.nn.Sequential")
    try:
        modules = described(model)["args"]["modules"]
    except Unsupported as problem:
        sys.exit(f"the record format can't hold this model: {problem}")
    shapes = [tuple(int(d) for d in shape.split(",") if d) for shape in args.input]
    inputs = [record.filled(shape, dtype, torch.Generator().manual_seed(i)) for i, shape in enumerate(shapes)]
    path = Path(args.out) / f"{name}_{args.dtype}_{args.mode}.safetensors"
    record.module(path, model, modules, f"{args.module}()", inputs, dtype, args.mode, args.seed)
    print(f"{path}: check it by AEGIS_RECORDS={Path(args.out).resolve()} go test ./parity")


def main():
    """Reads the command line."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--module", metavar="FILE:FUNCTION", help="a function in a file of this folder that builds a torch.nn.Sequential")
    p.add_argument("--database", metavar="DIR", help="make records of PyTorch's own test database there")
    p.add_argument("--input", metavar="SIZES", action="append", default=[], help="the input's sizes, as 4,3")
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
