"""PyTorch's objects in the words of the record format."""

import inspect
import math
from collections import OrderedDict

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
    if isinstance(value, Made):
        return value.spec()
    if isinstance(value, nn.Module):
        return described(value)
    if isinstance(value, Drawn):
        return {"shape": list(value.shape)}
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    raise Unsupported(f"argument of type {type(value).__name__}")


# Classes whose constructors take *args and **kwargs, with the names of what they take.
RECURRENT = ["input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"]
SIGNATURES = {
    nn.RNN: RECURRENT[:3] + ["nonlinearity"] + RECURRENT[3:], nn.LSTM: [*RECURRENT, "proj_size"], nn.GRU: RECURRENT,
}
DEFAULTS = {"num_layers": 1, "nonlinearity": "tanh", "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False, "proj_size": 0}


def named(cls, args, kwargs):
    """All arguments by name, defaults included."""
    if names := SIGNATURES.get(cls):
        given = dict(zip(names, args, strict=False)) | kwargs
        return {name: given.get(name, DEFAULTS.get(name)) for name in names}
    bound = inspect.signature(cls).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.arguments


def bind(cls, args, kwargs, tensors=None):
    """All arguments of a constructor by name, defaults included. Tensors go to `tensors` under arg.<name>."""
    out = {}
    for name, value in named(cls, args, kwargs).items():
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


def built(value, dtype):
    """An argument, or the module or the drawn tensor that is one."""
    if isinstance(value, Drawn):
        return torch.rand(value.shape, dtype=dtype)
    return value.build(dtype) if isinstance(value, Made) else value


def shown(value):
    """An argument's text."""
    return value.code() if isinstance(value, Made) else getattr(value, "__name__", repr(value))


class Drawn:
    """A tensor argument that is drawn when the module is built, and kept in its state: the arguments hold its shape."""

    def __init__(self, *shape):
        self.shape = shape

    def __repr__(self):
        return f"torch.rand{self.shape}"


class Made:
    """A module with the arguments that it was made of. Those of a Sequential are its modules, by names or by places."""

    def __init__(self, cls, *args, **kwargs):
        self.cls, self.args, self.kwargs = cls, args, kwargs

    def build(self, dtype):
        if self.cls is nn.Sequential:
            if self.kwargs:
                return nn.Sequential(OrderedDict((name, m.build(dtype)) for name, m in self.kwargs.items()))
            return nn.Sequential(*(m.build(dtype) for m in self.args))
        has_dtype = self.cls in SIGNATURES or "dtype" in inspect.signature(self.cls).parameters
        args = [built(a, dtype) for a in self.args]
        kwargs = {k: built(v, dtype) for k, v in self.kwargs.items()}
        return self.cls(*args, **kwargs, **({"dtype": dtype} if has_dtype else {}))

    def spec(self):
        if self.cls is nn.Sequential:
            named = [m.spec() | {"name": name} for name, m in self.kwargs.items()]
            return {"type": "Sequential", "args": {"modules": named or [m.spec() for m in self.args]}}
        return {"type": self.cls.__name__, "args": bind(self.cls, self.args, self.kwargs)}

    def code(self):
        if self.cls is nn.Sequential:
            named = [f"{name}={m.code()}" for name, m in self.kwargs.items()]
            return f"nn.Sequential({', '.join(named or (m.code() for m in self.args))})"
        args = [shown(a) for a in self.args] + [f"{k}={shown(v)}" for k, v in self.kwargs.items()]
        return f"nn.{self.cls.__name__}({', '.join(args)})"


def of_recurrent(module):
    """The arguments of a recurrent layer, which keeps them all."""
    return {name: getattr(module, name) for name in SIGNATURES[type(module)]}


def of_attention(module):
    """The arguments of a MultiheadAttention."""
    kept = ("embed_dim", "num_heads", "dropout", "add_zero_attn", "kdim", "vdim", "batch_first")
    return {name: getattr(module, name) for name in kept} | {"bias": module.in_proj_bias is not None, "add_bias_kv": module.bias_k is not None}


def of_block(module):
    """The arguments of a layer of a Transformer."""
    return {
        "d_model": module.linear1.in_features, "nhead": module.self_attn.num_heads, "dim_feedforward": module.linear1.out_features,
        "dropout": module.dropout.p, "activation": module.activation, "layer_norm_eps": module.norm1.eps,
        "batch_first": module.self_attn.batch_first, "norm_first": module.norm_first, "bias": module.linear1.bias is not None,
    }


def of_encoder(module):
    """The arguments of a stack of encoder layers."""
    return {"encoder_layer": module.layers[0], "num_layers": module.num_layers, "norm": module.norm, "enable_nested_tensor": module.enable_nested_tensor, "mask_check": module.mask_check}


def of_decoder(module):
    """The arguments of a stack of decoder layers."""
    return {"decoder_layer": module.layers[0], "num_layers": module.num_layers, "norm": module.norm}


def of_transformer(module):
    """The arguments of a Transformer, its encoder and decoder being its own."""
    return of_block(module.encoder.layers[0]) | {"num_encoder_layers": module.encoder.num_layers, "num_decoder_layers": module.decoder.num_layers}


# Modules that don't keep their arguments under their names.
DESCRIBED = {
    nn.RNN: of_recurrent, nn.LSTM: of_recurrent, nn.GRU: of_recurrent, nn.MultiheadAttention: of_attention,
    nn.TransformerEncoderLayer: of_block, nn.TransformerDecoderLayer: of_block, nn.TransformerEncoder: of_encoder,
    nn.TransformerDecoder: of_decoder, nn.Transformer: of_transformer,
}


def described(module):
    """The spec of a module that exists already, its arguments read from its attributes."""
    if isinstance(module, nn.Sequential):
        children = enumerate(module.named_children())
        return {"type": "Sequential", "args": {"modules": [described(m) | ({"name": name} if name != str(i) else {}) for i, (name, m) in children]}}
    cls = type(module)
    if getattr(nn, cls.__name__, None) is not cls:
        raise Unsupported(f"{cls.__name__} is no class of torch.nn")
    if read := DESCRIBED.get(cls):
        return {"type": cls.__name__, "args": {name: plain(value) for name, value in read(module).items()}}
    args = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if name in LEFT_OUT or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
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
