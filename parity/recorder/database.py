"""Records made from PyTorch's own test database, with samples that nobody here chose."""

import json

import torch
from torch import nn
from torch.testing._internal.common_modules import module_db

from . import record
from .spec import Unsupported, bind, plain

LOSSES = {name for name in dir(nn) if name.endswith("Loss")}


def flat(value):
    """The tensors of a nested tuple, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, tuple | list):
        return [t for v in value for t in flat(v)]
    return []


def one_module(path, cls, sample, dtype, training):
    """A module of one class as a Sequential of one."""
    args, kwargs = sample.constructor_input.args, sample.constructor_input.kwargs
    tensors = {}
    seed = 1234
    torch.manual_seed(seed)
    module = cls(*args, **kwargs).to(dtype)
    module.train(training)
    spec = {
        "kind": "module", "dtype": str(dtype).removeprefix("torch."), "mode": "train" if training else "eval",
        "modules": [{"type": cls.__name__, "args": bind(cls, args, kwargs, tensors)}],
    }
    tensors |= {f"state.0.{k}": v.detach().clone() for k, v in module.state_dict().items()}
    given = [x.detach().clone().requires_grad_(x.is_floating_point()) if isinstance(x, torch.Tensor) else x for x in sample.forward_input.args]
    named = dict(sample.forward_input.kwargs)
    if not given and "input" in named:
        given = [named.pop("input").detach().clone()]
        given[0].requires_grad_(given[0].is_floating_point())
    for name, value in named.items():
        if isinstance(value, torch.Tensor):
            tensors[f"kwarg.{name}"] = value.detach().clone()
        else:
            spec.setdefault("forward", {})[name] = plain(value)
    if any(isinstance(x, tuple | list) for x in given):
        spec["nested_inputs"] = True
    for i, x in enumerate(flat(given)):
        tensors[f"input.{i}"] = x.detach().clone()
    outputs = flat(module(*given, **named))
    generator = torch.Generator().manual_seed(96)
    wanted = [(i, y) for i, y in enumerate(outputs) if y.requires_grad]
    for i, y in wanted:
        tensors[f"grad_output.{i}"] = record.filled(y.shape, y.dtype, generator)
    if wanted:
        torch.autograd.backward([y for _, y in wanted], [tensors[f"grad_output.{i}"] for i, _ in wanted])
    for i, y in enumerate(outputs):
        tensors[f"output.{i}"] = y
    for i, x in enumerate(flat(given)):
        if x.grad is not None:
            tensors[f"grad.input.{i}"] = x.grad
    tensors |= {f"grad.0.{k}": p.grad for k, p in module.named_parameters() if p.grad is not None}
    tensors |= {f"after.0.{k}": v for k, v in module.state_dict().items()}
    record.write(path, spec, f"nn.{cls.__name__}: {sample.desc}", tensors)


def one_loss(path, cls, sample, dtype):
    """A loss with whatever inputs its sample has."""
    args, kwargs = sample.constructor_input.args, sample.constructor_input.kwargs
    tensors = {}
    criterion = cls(*args, **kwargs).to(dtype)
    spec = {"kind": "loss", "dtype": str(dtype).removeprefix("torch."), "loss": {"type": cls.__name__, "args": bind(cls, args, kwargs, tensors)}}
    given = [x.detach().clone() if isinstance(x, torch.Tensor) else x for x in sample.forward_input.args] + list(sample.forward_input.kwargs.values())
    if not all(isinstance(x, torch.Tensor) for x in given):
        raise Unsupported("arguments of forward that are no tensors")
    inputs = [x for x, original in zip(given, sample.forward_input.args, strict=False) if original.requires_grad] or given[:1]
    targets = [x for x in given if not any(x is i for i in inputs)]
    tensors |= {f"state.{k}": v.detach().clone() for k, v in criterion.state_dict().items() if f"arg.{k}" not in tensors}
    for name, list_ in (("input", inputs), ("target", targets)):
        for i, x in enumerate(list_):
            tensors[f"{name}.{i}"] = x.detach().clone()
    for x in inputs:
        x.requires_grad_(x.is_floating_point())
    value = criterion(*given)
    if value.dim() == 0:
        value.backward()
    else:
        tensors["grad_output.0"] = record.filled(value.shape, value.dtype, torch.Generator().manual_seed(95))
        value.backward(tensors["grad_output.0"])
    tensors["loss"] = value
    for i, x in enumerate(inputs):
        if x.grad is not None:
            tensors[f"grad.input.{i}"] = x.grad
    record.write(path, spec, f"nn.{cls.__name__}: {sample.desc}", tensors)


def all_records(out):
    """Every sample of every module class, in both dtypes and modes; what can't be recorded is named."""
    torch.set_num_threads(1)
    for info in module_db:
        cls = info.module_cls
        for dtype in (torch.float32, torch.float64):
            for training in (True, False):
                torch.manual_seed(0)
                samples = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=training)
                for i, sample in enumerate(samples):
                    word = f"{str(dtype).removeprefix('torch.')}_{'train' if training else 'eval'}"
                    try:
                        if cls.__name__ in LOSSES:
                            if training:
                                one_loss(out / cls.__name__ / f"{i:03}_{word}.safetensors", cls, sample, dtype)
                        else:
                            one_module(out / cls.__name__ / f"{i:03}_{word}.safetensors", cls, sample, dtype, training)
                    except (Unsupported, RuntimeError, TypeError, ValueError, KeyError, json.JSONDecodeError) as problem:
                        print(f"skipped {cls.__name__} {i} {word}: {str(problem).splitlines()[0] if str(problem) else type(problem).__name__}")


def all_optimizers(out):
    """Every settings sample of every optimizer, over given gradients."""
    from torch.testing._internal.common_optimizers import optim_db

    shapes = {"0.weight": (4, 3), "0.bias": (4,), "1.weight": (2, 4)}
    for info in optim_db:
        cls = info.optim_cls
        for dtype in (torch.float32, torch.float64):
            for i, sample in enumerate(info.optim_inputs_func(device="cpu")):
                word = str(dtype).removeprefix("torch.")
                args = {k: v for k, v in sample.kwargs.items()}
                try:
                    record.optimizer(out / f"optim.{cls.__name__}" / f"{i:03}_{word}.safetensors", cls, args, shapes, dtype)
                except (Unsupported, RuntimeError, TypeError, ValueError) as problem:
                    print(f"skipped optim.{cls.__name__} {i} {word}: {str(problem).splitlines()[0]}")
