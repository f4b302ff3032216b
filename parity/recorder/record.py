"""Writing and making of single records."""

import inspect
import json
from pathlib import Path

import torch
from torch.optim import swa_utils

from .spec import bind, plain

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


def flat(value):
    """The tensors of a nested tuple, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, tuple | list):
        return [t for v in value for t in flat(v)]
    return []


def graded(value):
    """A nested tuple of tensors of its own, those of floating point with gradients."""
    if isinstance(value, tuple | list):
        return tuple(graded(v) for v in value)
    return value.detach().clone().requires_grad_(value.is_floating_point())


def module(path, model, modules, code, inputs, dtype, mode="train", seed=None, tolerance=None, keywords=None):
    """What a model gives for inputs, and the gradients of a random cotangent.

    A model of one module may have several inputs, nested in tuples, and keywords.
    """
    model.train(mode == "train")
    spec = {"kind": "module", "dtype": str(dtype).removeprefix("torch."), "mode": mode, "modules": modules}
    if seed is not None:
        spec["seed"] = seed
    spec.update(tolerance or {})
    tensors = {f"state.{k}": v.detach().clone() for k, v in model.state_dict().items()}
    given = graded(inputs)
    inputs = flat(given)
    if any(isinstance(x, tuple) for x in given):
        spec["nested_inputs"] = True
    for i, x in enumerate(inputs):
        tensors[f"input.{i}"] = x.detach().clone()
    for name, value in (keywords or {}).items():
        if isinstance(value, torch.Tensor):
            tensors[f"kwarg.{name}"] = value.detach().clone()
        else:
            spec.setdefault("forward", {})[name] = value
    outputs = flat(model(*given) if len(model) > 1 else model[0](*given, **(keywords or {})))
    g = torch.Generator().manual_seed(99)
    wanted = [(i, y, filled(y.shape, y.dtype, g)) for i, y in enumerate(outputs) if y.requires_grad or (y.is_floating_point() and len(outputs) == 1)]
    if any(y.requires_grad for _, y, _ in wanted):
        torch.autograd.backward([y for _, y, _ in wanted], [c for _, _, c in wanted])
    for i, y in enumerate(outputs):
        tensors[f"output.{i}"] = y.detach().clone()
    for i, _, c in wanted:
        tensors[f"grad_output.{i}"] = c
    for i, x in enumerate(inputs):
        if x.grad is not None:
            tensors[f"grad.input.{i}"] = x.grad
    for name, p in model.named_parameters():
        if p.grad is not None:
            tensors[f"grad.{name}"] = p.grad
    for name, v in model.state_dict().items():
        tensors[f"after.{name}"] = v.detach().clone()
    write(path, spec, code, tensors)


def loss(path, cls, args, *given, wanted=(0,), seed=None):
    """A loss's value and the gradients of those inputs whose numbers are `wanted`; a constructor's tensors are in args.

    One with parameters of its own has them drawn from a seed.
    """
    tensors = {}
    spec = {"kind": "loss", "dtype": str(given[0].dtype).removeprefix("torch."), "loss": {"type": cls.__name__, "args": bind(cls, (), args, tensors)}}
    if seed is None:
        criterion = cls(**args)
    else:
        spec["seed"] = seed
        torch.manual_seed(seed)
        criterion = cls(**args, dtype=given[0].dtype)
    tensors |= {f"state.{name}": p.detach().clone() for name, p in criterion.named_parameters()}
    given = [x.detach().clone().requires_grad_(i in wanted) for i, x in enumerate(given)]
    inputs = [x for x in given if x.requires_grad]
    for name, those in (("input", inputs), ("target", [x for x in given if not x.requires_grad])):
        tensors |= {f"{name}.{i}": x.detach().clone() for i, x in enumerate(those)}
    value = criterion(*given)
    if value.dim() == 0:
        value.backward()
    else:
        tensors["grad_output.0"] = filled(value.shape, value.dtype, torch.Generator().manual_seed(98))
        value.backward(tensors["grad_output.0"])
    tensors["loss"] = value
    tensors |= {f"grad.input.{i}": x.grad for i, x in enumerate(inputs)}
    tensors |= {f"grad.{name}": p.grad for name, p in criterion.named_parameters()}
    shown = ", ".join(f"{k}={v.tolist() if isinstance(v, torch.Tensor) else v!r}" for k, v in args.items())
    write(path, spec, f"nn.{cls.__name__}({shown})", tensors)


class Fixed:
    """A tensor of floating point that no gradient goes to."""

    def __init__(self, value):
        self.value = value


def function(path, name, dtype, args, inputs, keywords=None, names=None):
    """A function of torch.nn.functional: its tensors, some perhaps None, by position or by the names given, and its other arguments.

    One that works in its input's place, or writes to it, has a copy.
    """
    f = getattr(torch.nn.functional, name)
    given = [x.value.clone() if isinstance(x, Fixed) else x if x is None else graded(x) for x in inputs]
    keywords = {k: x.value if isinstance(x, Fixed) else x for k, x in (keywords or {}).items()}
    there = [x for x in given if x is not None]
    tensors = {f"input.{i}": x.detach().clone() for i, x in enumerate(there)} | {f"kwarg.{k}": x.detach().clone() for k, x in keywords.items()}
    called = [x * 1 if x is not None and x.requires_grad and name.endswith("_") else x for x in given]
    extra = {k: x.detach().clone() for k, x in keywords.items()}
    if "dtype" in args:
        extra["dtype"] = DTYPES[args["dtype"]]
    result = f(**dict(zip(names, called, strict=True)), **(args | extra)) if names else f(*called, **(args | extra))
    generator = torch.Generator().manual_seed(97)
    outputs = flat(result)
    wanted = [(i, y, filled(y.shape, y.dtype, generator)) for i, y in enumerate(outputs) if y.requires_grad]
    if wanted:
        torch.autograd.backward([y for _, y, _ in wanted], [c for _, _, c in wanted])
    tensors |= {f"output.{i}": y.detach().clone() for i, y in enumerate(outputs)} | {f"grad_output.{i}": c for i, _, c in wanted}
    tensors |= {f"grad.input.{i}": x.grad for i, x in enumerate(there) if x.grad is not None}
    missing = signature(name)[: len(given)] if names is None else names
    spec_args = {k: plain(v) for k, v in args.items()} | {n: None for n, x in zip(missing, given, strict=False) if x is None}
    spec = {"kind": "function", "dtype": str(dtype).removeprefix("torch."), "function": {"name": name, "args": spec_args}}
    write(path, spec, f"F.{name}({', '.join(['x'] * len(given) + [f'{k}={v!r}' for k, v in args.items()] + [f'{k}=…' for k in keywords])})", tensors)


def signature(name):
    """The names of a function's parameters; of those that PyTorch doesn't tell, the ones that may be None here."""
    told = {"bilinear": ["input1", "input2", "weight", "bias"], "linear": ["input", "weight", "bias"]}
    if name in told or name.startswith("conv"):
        return told.get(name, ["input", "weight", "bias"])
    try:
        return list(inspect.signature(getattr(torch.nn.functional, name)).parameters)
    except ValueError:
        return []


def optimizer(path, cls, args, shapes, dtype, steps=6, groups=None, missing=(), rows=None, state=False):
    """Steps of an optimizer over given gradients; `missing` are (step, name) without one. `rows` gives the rows of a sparse
    gradient by step and name; the first one of them is zero. `state` keeps the state dict of the end."""
    g = torch.Generator().manual_seed(7)
    params = {name: filled(shape, dtype, g).requires_grad_() for name, shape in shapes.items()}
    tensors = {f"param.{n}": p.detach().clone() for n, p in params.items()}
    spec = {"kind": "optimizer", "dtype": str(dtype).removeprefix("torch."), "steps": steps,
            "optimizer": {"type": cls.__name__, "args": bind(cls, (None,), args, tensors)}}
    given = list(params.values())
    if groups:
        given = [{"params": [params[n] for n in names], **own} for names, own in groups]
        spec["groups"] = [{"params": names, "args": own} for names, own in groups]
    opt = cls(given, **args)
    for k in range(steps):
        for name, p in params.items():
            p.grad = None if (k, name) in missing else filled(p.shape, dtype, g)
            if p.grad is not None and rows:
                reached = torch.tensor(rows(k, name))
                values = p.grad[reached].clone()
                values[:1] = 0
                p.grad = torch.sparse_coo_tensor(reached[None], values, p.shape, check_invariants=True)
                tensors[f"step.{k}.rows.{name}"] = reached
            if p.grad is not None:
                tensors[f"step.{k}.grad.{name}"] = p.grad.to_dense().clone()
        opt.step()
        for name, p in params.items():
            tensors[f"step.{k}.param.{name}"] = p.detach().clone()
    if state:
        keep_state(opt, spec, tensors)
    write(path, spec, f"optim.{cls.__name__}({args})", tensors)


def keep_state(opt, spec, tensors):
    """An optimizer's state dict: its tensors as optimizer.state.<place>.<name>, its groups in the spec."""
    state = opt.state_dict()
    spec["param_groups"] = [{k: plain(v) for k, v in g.items()} for g in state["param_groups"]]
    for place, kept in state["state"].items():
        for name, value in kept.items():
            for i, v in enumerate(value if isinstance(value, list) else [value]):
                if v is not None and name != "al":  # LBFGS's al is scratch
                    tensors[f"optimizer.state.{place}.{name}" + (f".{i}" if isinstance(value, list) else "")] = torch.as_tensor(v).clone()


def scheduler(path, cls, args, lr=0.5, steps=12, optim=torch.optim.SGD, metric=None):
    """Learning rates as a schedule goes on, and the momentum where it moves. Schedules within another stand in its arguments as
    (class, arguments)."""
    opt = optim([torch.zeros(1, requires_grad=True)], lr=lr)
    group = opt.param_groups[0]

    def made(cls, args):
        if "schedulers" in args:
            args = args | {"schedulers": [made(*s) for s in args["schedulers"]]}
        return cls(args["schedulers"]) if cls is torch.optim.lr_scheduler.ChainedScheduler else cls(opt, **args)

    def momentum():
        return group["betas"][0] if "betas" in group else group["momentum"]

    first = momentum()
    schedule = made(cls, args)
    rates, momenta = [group["lr"]], [momentum()]
    for k in range(steps):
        opt.step()
        schedule.step() if metric is None else schedule.step(metric[k])
        rates.append(group["lr"])
        momenta.append(momentum())
    tensors = {"lr": torch.tensor(rates, dtype=torch.float64)}
    if any(m != first for m in momenta):
        tensors["momentum"] = torch.tensor(momenta, dtype=torch.float64)
    if metric is not None:
        tensors["metric"] = torch.tensor(metric, dtype=torch.float64)
    spec = {"kind": "scheduler", "dtype": "float64", "steps": steps,
            "optimizer": {"type": optim.__name__, "args": bind(optim, (None,), {"lr": lr})},
            "scheduler": {"type": cls.__name__, "args": scheduler_args(cls, args)}}
    write(path, spec, f"lr_scheduler.{cls.__name__}({shown(args)})", tensors)


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


def training(path, modules, criterion, loss_args, optim, optim_args, batches, dtype, seed=42, schedule=None, tolerance=None, state=False, average=None):
    """A whole training: losses step by step, and where the parameters end."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(*(m.build(dtype) for m in modules))
    tensors = {f"state.{k}": v.detach().clone() for k, v in model.state_dict().items()}
    opt = optim(model.parameters(), **optim_args)
    spec = {"kind": "training", "dtype": str(dtype).removeprefix("torch."), "mode": "train", "seed": seed, "steps": len(batches),
            "modules": [m.spec() for m in modules],
            "loss": {"type": criterion.__name__, "args": bind(criterion, (), loss_args, tensors)},
            "optimizer": {"type": optim.__name__, "args": bind(optim, (None,), optim_args, tensors)}}
    scheduler = None
    if schedule:
        scheduler = schedule[0](opt, **schedule[1])
        spec["scheduler"] = {"type": schedule[0].__name__, "args": scheduler_args(schedule[0], schedule[1])}
    averaged = None
    if average is not None:
        spec["average"] = average
        decay = average.get("decay")
        averaged = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay) if decay else None, use_buffers=average["use_buffers"])
    f = criterion(**loss_args)
    for k, (x, y) in enumerate(batches):
        tensors[f"batch.{k}.input"], tensors[f"batch.{k}.target"] = x, y

        def closure(x=x, y=y):
            opt.zero_grad()
            value = f(model(x), y)
            value.backward()
            return value

        value = opt.step(closure)
        if scheduler:
            scheduler.step()
        tensors[f"step.{k}.loss"] = value.detach()
        if averaged:
            averaged.update_parameters(model)
    if averaged:
        tensors |= {f"average.{k}": v.detach().clone() for k, v in averaged.state_dict().items()}
        swa_utils.update_bn([x for x, _ in batches], averaged)
        tensors |= {f"average_bn.{k}": v.detach().clone() for k, v in averaged.state_dict().items()}
    tensors |= {f"after.{k}": v.detach().clone() for k, v in model.state_dict().items()}
    if state:
        keep_state(opt, spec, tensors)
    code = f"training of nn.Sequential({', '.join(m.code() for m in modules)}) by {optim.__name__}"
    if tolerance:
        code += f", with a wider bar: {tolerance['why']}"
        spec |= {"rtol": tolerance["rtol"], "atol": tolerance["atol"]}
    write(path, spec, code, tensors)


def scheduler_args(cls, args):
    """A schedule's arguments, less the optimizer."""
    inner = [{"type": c.__name__, "args": scheduler_args(c, a)} for c, a in args.get("schedulers", ())]
    out = bind(cls, (), args | {"optimizer": None, "schedulers": ()} if inner else args | {"optimizer": None})
    out.pop("optimizer", None)
    return out | ({"schedulers": inner} if inner else {})


def shown(args):
    """Arguments as a reader wants them."""
    return {k: [f"{c.__name__}({shown(a)})" for c, a in v] if k == "schedulers" else v for k, v in args.items()}
