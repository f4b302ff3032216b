"""Writing and making of single records."""

import json
from pathlib import Path

import torch

from .spec import bind

DTYPES = {"float32": torch.float32, "float64": torch.float64}


NAMES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.bool: "BOOL"}


def write(path, spec, code, tensors):
    """One record file. The safetensors package writes metadata in no fixed order; this gives the same bytes each time."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"code": code, "record": "1", "spec": json.dumps(spec, sort_keys=True), "torch": torch.__version__.split("+")[0]}
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name, t in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
        blob = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": NAMES[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def filled(shape, dtype, generator, scale=1.0):
    """Normal numbers that don't touch the global generator."""
    return torch.randn(shape, generator=generator, dtype=torch.float64).mul(scale).to(dtype)


def module(path, model, modules, code, inputs, dtype, mode="train", seed=None, tolerance=None):
    """What a model gives for inputs, and the gradients of a random cotangent."""
    model.train(mode == "train")
    spec = {"kind": "module", "dtype": str(dtype).removeprefix("torch."), "mode": mode, "modules": modules}
    if seed is not None:
        spec["seed"] = seed
    spec.update(tolerance or {})
    tensors = {f"state.{k}": v.detach().clone() for k, v in model.state_dict().items()}
    inputs = [x.detach().clone().requires_grad_(x.is_floating_point()) for x in inputs]
    for i, x in enumerate(inputs):
        tensors[f"input.{i}"] = x.detach().clone()
    outputs = model(*inputs)
    outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
    g = torch.Generator().manual_seed(99)
    cotangents = [filled(y.shape, y.dtype, g) for y in outputs]
    if any(y.requires_grad for y in outputs):
        torch.autograd.backward(outputs, cotangents)
    for i, (y, c) in enumerate(zip(outputs, cotangents, strict=True)):
        tensors[f"output.{i}"], tensors[f"grad_output.{i}"] = y.detach().clone(), c
    for i, x in enumerate(inputs):
        if x.grad is not None:
            tensors[f"grad.input.{i}"] = x.grad
    for name, p in model.named_parameters():
        if p.grad is not None:
            tensors[f"grad.{name}"] = p.grad
    for name, v in model.state_dict().items():
        tensors[f"after.{name}"] = v.detach().clone()
    write(path, spec, code, tensors)


def loss(path, cls, args, x, target):
    """A loss's value and the gradient of its input."""
    tensors = {}
    criterion = cls(**args)
    spec = {"kind": "loss", "dtype": str(x.dtype).removeprefix("torch."), "loss": {"type": cls.__name__, "args": bind(cls, (), args, tensors)}}
    tensors.update({"input.0": x.detach().clone(), "target.0": target.detach().clone()})
    x = x.detach().clone().requires_grad_()
    value = criterion(x, target)
    if value.dim() == 0:
        value.backward()
    else:
        tensors["grad_output.0"] = filled(value.shape, value.dtype, torch.Generator().manual_seed(98))
        value.backward(tensors["grad_output.0"])
    tensors["loss"], tensors["grad.input.0"] = value, x.grad
    shown = ", ".join(f"{k}={v.tolist() if isinstance(v, torch.Tensor) else v!r}" for k, v in args.items())
    write(path, spec, f"nn.{cls.__name__}({shown})", tensors)


def function(path, name, args, x):
    """A function of torch.nn.functional."""
    f = getattr(torch.nn.functional, name)
    tensors = {"input.0": x.detach().clone()}
    x = x.detach().clone().requires_grad_()
    y = f(x, **args)
    tensors["grad_output.0"] = filled(y.shape, y.dtype, torch.Generator().manual_seed(97))
    y.backward(tensors["grad_output.0"])
    tensors["output.0"], tensors["grad.input.0"] = y, x.grad
    spec = {"kind": "function", "dtype": str(x.dtype).removeprefix("torch."), "function": {"name": name, "args": args}}
    write(path, spec, f"F.{name}(x, {args})", tensors)


def optimizer(path, cls, args, shapes, dtype, steps=6, groups=None, missing=()):
    """Steps of an optimizer over given gradients; `missing` are (step, name) without one."""
    g = torch.Generator().manual_seed(7)
    params = {name: filled(shape, dtype, g).requires_grad_() for name, shape in shapes.items()}
    tensors = {f"param.{n}": p.detach().clone() for n, p in params.items()}
    spec = {"kind": "optimizer", "dtype": str(dtype).removeprefix("torch."), "steps": steps,
            "optimizer": {"type": cls.__name__, "args": bind(cls, (None,), args)}}
    given = list(params.values())
    if groups:
        given = [{"params": [params[n] for n in names], **own} for names, own in groups]
        spec["groups"] = [{"params": names, "args": own} for names, own in groups]
    opt = cls(given, **args)
    for k in range(steps):
        for name, p in params.items():
            p.grad = None if (k, name) in missing else filled(p.shape, dtype, g)
            if p.grad is not None:
                tensors[f"step.{k}.grad.{name}"] = p.grad.clone()
        opt.step()
        for name, p in params.items():
            tensors[f"step.{k}.param.{name}"] = p.detach().clone()
    write(path, spec, f"optim.{cls.__name__}({args})", tensors)


def scheduler(path, cls, args, lr=0.5, steps=12):
    """Learning rates as a schedule goes on."""
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule = cls(opt, **args)
    rates = [opt.param_groups[0]["lr"]]
    for _ in range(steps):
        opt.step()
        schedule.step()
        rates.append(opt.param_groups[0]["lr"])
    spec = {"kind": "scheduler", "dtype": "float64", "steps": steps,
            "optimizer": {"type": "SGD", "args": bind(torch.optim.SGD, (None,), {"lr": lr})},
            "scheduler": {"type": cls.__name__, "args": scheduler_args(cls, args)}}
    write(path, spec, f"lr_scheduler.{cls.__name__}({args})", {"lr": torch.tensor(rates, dtype=torch.float64)})


def init(path, name, args, shape, dtype, seed):
    """An initialiser from a seed."""
    x = torch.empty(shape, dtype=dtype)
    torch.manual_seed(seed)
    getattr(torch.nn.init, name)(x, **args)
    spec = {"kind": "init", "dtype": str(dtype).removeprefix("torch."), "init": {"name": name, "args": args}, "seed": seed}
    write(path, spec, f"init.{name}(x, {args})", {"param": x})


def random(path, name, args, shape, dtype, seed):
    """Random numbers from a seed."""
    torch.manual_seed(seed)
    if name.endswith("_"):
        x = getattr(torch.empty(shape, dtype=dtype), name)(**args)
    elif name == "randperm":
        x = torch.randperm(**args)
    elif name == "randint":
        x = torch.randint(**args, size=shape)
    else:
        x = getattr(torch, name)(shape, dtype=dtype)
        args = {"size": list(shape)}
    spec = {"kind": "random", "dtype": str(x.dtype).removeprefix("torch."), "random": {"name": name, "args": args}, "seed": seed}
    write(path, spec, f"torch.{name}({args})", {"output.0": x})


def training(path, modules, criterion, loss_args, optim, optim_args, batches, dtype, seed=42, schedule=None):
    """A whole training: losses step by step, and where the parameters end."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(*(m.build(dtype) for m in modules))
    tensors = {f"state.{k}": v.detach().clone() for k, v in model.state_dict().items()}
    opt = optim(model.parameters(), **optim_args)
    spec = {"kind": "training", "dtype": str(dtype).removeprefix("torch."), "mode": "train", "seed": seed, "steps": len(batches),
            "modules": [m.spec() for m in modules],
            "loss": {"type": criterion.__name__, "args": bind(criterion, (), loss_args)},
            "optimizer": {"type": optim.__name__, "args": bind(optim, (None,), optim_args)}}
    scheduler = None
    if schedule:
        scheduler = schedule[0](opt, **schedule[1])
        spec["scheduler"] = {"type": schedule[0].__name__, "args": scheduler_args(schedule[0], schedule[1])}
    f = criterion(**loss_args)
    for k, (x, y) in enumerate(batches):
        tensors[f"batch.{k}.input"], tensors[f"batch.{k}.target"] = x, y
        opt.zero_grad()
        value = f(model(x), y)
        value.backward()
        opt.step()
        if scheduler:
            scheduler.step()
        tensors[f"step.{k}.loss"] = value.detach()
    tensors |= {f"after.{k}": v.detach().clone() for k, v in model.state_dict().items()}
    write(path, spec, f"training of nn.Sequential({', '.join(m.code() for m in modules)}) by {optim.__name__}", tensors)


def scheduler_args(cls, args):
    """A schedule's arguments, less the optimizer."""
    out = bind(cls, (None,), args)
    out.pop("optimizer", None)
    return out
