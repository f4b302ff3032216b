"""PyTorch's objects in the words of the record format."""

import inspect
import math

import torch
from torch import nn

# Arguments that every class has and that say nothing of its numbers.
LEFT_OUT = {"device", "dtype", "self"}


class Unsupported(Exception):
    """Something that the format can't hold."""


def plain(value):
    """A constructor argument as JSON holds it."""
    if isinstance(value, torch.Size | tuple):
        return [plain(v) for v in value]
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    raise Unsupported(f"argument of type {type(value).__name__}")


def bind(cls, args, kwargs, tensors=None):
    """All arguments of a constructor by name, defaults included. Tensors go to `tensors` under arg.<name>."""
    bound = inspect.signature(cls).bind(*args, **kwargs)
    bound.apply_defaults()
    out = {}
    for name, value in bound.arguments.items():
        if name in LEFT_OUT or name in ("args", "kwargs", "params"):
            continue
        if isinstance(value, torch.Tensor):
            if tensors is None:
                raise Unsupported(f"tensor argument {name}")
            tensors[f"arg.{name}"] = value.detach().clone()
            out[name] = {"tensor": f"arg.{name}"}
            continue
        out[name] = plain(value)
    return out


class Made:
    """A module with the arguments that it was made of."""

    def __init__(self, cls, *args, **kwargs):
        self.cls, self.args, self.kwargs = cls, args, kwargs

    def build(self, dtype):
        if self.cls is nn.Sequential:
            return nn.Sequential(*(m.build(dtype) for m in self.args))
        has_dtype = "dtype" in inspect.signature(self.cls).parameters
        return self.cls(*self.args, **self.kwargs, **({"dtype": dtype} if has_dtype else {}))

    def spec(self):
        if self.cls is nn.Sequential:
            return {"type": "Sequential", "args": {"modules": [m.spec() for m in self.args]}}
        return {"type": self.cls.__name__, "args": bind(self.cls, self.args, self.kwargs)}

    def code(self):
        if self.cls is nn.Sequential:
            return f"nn.Sequential({', '.join(m.code() for m in self.args)})"
        args = [repr(a) for a in self.args] + [f"{k}={v!r}" for k, v in self.kwargs.items()]
        return f"nn.{self.cls.__name__}({', '.join(args)})"


def described(module):
    """The spec of a module that exists already, its arguments read from its attributes."""
    if isinstance(module, nn.Sequential):
        return {"type": "Sequential", "args": {"modules": [described(m) for m in module]}}
    cls = type(module)
    if getattr(nn, cls.__name__, None) is not cls:
        raise Unsupported(f"{cls.__name__} is no class of torch.nn")
    args = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if name in LEFT_OUT:
            continue
        if name == "bias" and getattr(module, "bias", None) is not None and isinstance(module.bias, torch.Tensor):
            args[name] = True
        elif name == "bias" and module.bias is None:
            args[name] = False
        elif hasattr(module, name):
            args[name] = plain(getattr(module, name))
        elif parameter.default is not inspect.Parameter.empty:
            args[name] = plain(parameter.default)
        else:
            raise Unsupported(f"argument {name} of {cls.__name__}")
    return {"type": cls.__name__, "args": args}
