"""Records made from PyTorch's own test database, with samples that nobody here chose."""

import json

import torch
from torch import nn
from torch.testing._internal.common_modules import module_db

from . import record
from .spec import Made, Unsupported, bind, plain

LINE_SEARCH = {"rtol": 1e-4, "atol": 1e-4, "why": "a line search in float32 ends where the loss is flat to its last bit"}
LOSSES = {name for name in dir(nn) if name.endswith("Loss")}


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
        elif record.flat(value):
            raise Unsupported(f"keyword argument {name}, a tuple of tensors")
        else:
            spec.setdefault("forward", {})[name] = plain(value)
    if any(isinstance(x, tuple | list) for x in given):
        spec["nested_inputs"] = True
    for i, x in enumerate(record.flat(given)):
        tensors[f"input.{i}"] = x.detach().clone()
    outputs = record.flat(module(*given, **named))
    generator = torch.Generator().manual_seed(96)
    wanted = [(i, y) for i, y in enumerate(outputs) if y.requires_grad]
    for i, y in wanted:
        tensors[f"grad_output.{i}"] = record.filled(y.shape, y.dtype, generator)
    if wanted:
        torch.autograd.backward([y for _, y in wanted], [tensors[f"grad_output.{i}"] for i, _ in wanted])
    for i, y in enumerate(outputs):
        tensors[f"output.{i}"] = y
    for i, x in enumerate(record.flat(given)):
        if x.grad is not None:
            tensors[f"grad.input.{i}"] = x.grad
    tensors |= {f"grad.0.{k}": p.grad for k, p in module.named_parameters() if p.grad is not None}
    tensors |= {f"after.0.{k}": v for k, v in module.state_dict().items()}
    record.write(path, spec, f"nn.{cls.__name__}: {sample.desc}", tensors)


def tensor(value):
    """A loss's input: lengths, given as a list or in another integer type, become int64."""
    if isinstance(value, list | tuple) and all(isinstance(v, int) for v in value):
        return torch.tensor(value)
    if not isinstance(value, torch.Tensor):
        raise Unsupported("an input that is no tensor")
    value = value.detach().clone()
    return value.long() if value.dtype == torch.int32 else value


def one_loss(path, cls, sample, dtype):
    """A loss with whatever inputs its sample has."""
    args, kwargs = sample.constructor_input.args, sample.constructor_input.kwargs
    tensors = {}
    criterion = cls(*args, **kwargs).to(dtype)
    spec = {"kind": "loss", "dtype": str(dtype).removeprefix("torch."), "loss": {"type": cls.__name__, "args": bind(cls, args, kwargs, tensors)}}
    original = [*sample.forward_input.args, *sample.forward_input.kwargs.values()]
    given = [tensor(x) for x in original]
    inputs = [x for x, o in zip(given, original, strict=True) if getattr(o, "requires_grad", False)] or given[:1]
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


def one_optimizer(path, cls, args, dtype):
    """Steps over given gradients, or a training where the optimizer computes the loss itself."""
    shapes = {"0.weight": (4, 3), "0.bias": (4,), "1.weight": (2, 4)}
    if cls is torch.optim.LBFGS:
        g = torch.Generator().manual_seed(94)
        # A strictly convex loss, or concave to be maximized: elsewhere LBFGS makes large numbers of the last bits.
        n, classes = 24, 3
        batch = (record.filled((n, 3), dtype, g), torch.randint(0, classes, (n,), generator=g))
        weight = torch.full((classes,), -1 / n if args.get("maximize") else 1 / n, dtype=dtype)
        record.training(path, [Made(nn.Linear, 3, classes)], nn.CrossEntropyLoss, {"weight": weight, "reduction": "sum"}, cls, args, [batch] * 2, dtype, tolerance=LINE_SEARCH if dtype is torch.float32 else None)
    elif cls is torch.optim.SparseAdam:
        record.optimizer(path, cls, args, shapes, dtype, rows=lambda k, name: [k % shapes[name][0], (k + 1) % shapes[name][0]])
    elif cls is torch.optim.Muon:
        record.optimizer(path, cls, args, {k: v for k, v in shapes.items() if len(v) == 2}, dtype)
    else:
        record.optimizer(path, cls, args, shapes, dtype)


def all_optimizers(out):
    """Every settings sample of every optimizer."""
    from torch.testing._internal.common_optimizers import optim_db

    for info in optim_db:
        cls = info.optim_cls
        for dtype in (torch.float32, torch.float64):
            for i, sample in enumerate(info.optim_inputs_func(device="cpu")):
                word = str(dtype).removeprefix("torch.")
                path = out / f"optim.{cls.__name__}" / f"{i:03}_{word}.safetensors"
                try:
                    one_optimizer(path, cls, dict(sample.kwargs), dtype)
                except (Unsupported, RuntimeError, TypeError, ValueError) as problem:
                    print(f"skipped optim.{cls.__name__} {i} {word}: {str(problem).splitlines()[0]}")
