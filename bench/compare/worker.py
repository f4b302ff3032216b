"""One peer in a process of its own: reads cases as JSON lines, answers with the median microseconds of a step."""

import json
import os
import sys
import time

PEER, THREADS = sys.argv[1], int(sys.argv[2])
if THREADS == 1:
    os.sched_setaffinity(0, {0})
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def torch_step(case, compiled):
    """A training step or a prediction of PyTorch."""
    import torch
    from torch import nn

    torch.set_num_threads(THREADS)
    torch.manual_seed(42)
    dims, batch = case["dims"], case["batch"]
    layers = []
    for i in range(len(dims) - 1):
        layers += [nn.ReLU()] * (i > 0) + [nn.Linear(dims[i], dims[i + 1])]
    model = nn.Sequential(*layers)
    x, y = torch.rand(batch, dims[0]), torch.arange(batch) % dims[-1]
    if case["mode"] == "infer":
        model.eval()
        f = torch.compile(model) if compiled else model

        def step():
            with torch.inference_mode():
                f(x)

        return step
    criterion = nn.CrossEntropyLoss()
    optimizer = (torch.optim.Adam if case["optimizer"] == "adam" else torch.optim.SGD)(model.parameters(), lr=0.01)

    def loss(x, y):
        return criterion(model(x), y)

    f = torch.compile(loss) if compiled else loss

    def step():
        optimizer.zero_grad(set_to_none=True)
        f(x, y).backward()
        optimizer.step()

    return step


def jax_step(case):
    """The same by jax.jit, parameters donated."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(42)
    dims, batch = case["dims"], case["batch"]
    params = [(jnp.asarray(rng.normal(size=(a, b), scale=a**-0.5), jnp.float32), jnp.zeros(b)) for a, b in zip(dims, dims[1:])]
    x, y = jnp.asarray(rng.random((batch, dims[0])), jnp.float32), jnp.arange(batch) % dims[-1]

    def forward(params, x):
        for i, (w, b) in enumerate(params):
            x = (jax.nn.relu(x) if i else x) @ w + b
        return x

    if case["mode"] == "infer":
        f = jax.jit(forward)
        return lambda: f(params, x).block_until_ready()

    def loss(params):
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(forward(params, x)), y[:, None], 1))

    zeros = jax.tree.map(jnp.zeros_like, params)
    if case["optimizer"] == "adam":

        def update(state):
            params, m, v, t = state
            g = jax.grad(loss)(params)
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
            params = jax.tree.map(lambda p, m, v: p - 0.001 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8), params, m, v)
            return params, m, v, t + 1

        state = (params, zeros, jax.tree.map(jnp.zeros_like, params), jnp.float32(1))
    else:

        def update(state):
            return jax.tree.map(lambda p, g: p - 0.01 * g, state, jax.grad(loss)(state))

        state = params
    f = jax.jit(update, donate_argnums=0)
    box = [state]

    def step():
        box[0] = f(box[0])
        jax.block_until_ready(box[0])

    return step


def onnx_step(case):
    """A prediction of ONNX Runtime."""
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    if case["mode"] != "infer":
        return None
    rng = np.random.default_rng(42)
    dims, batch = case["dims"], case["batch"]
    nodes, weights, name = [], [], "x"
    for i, (a, b) in enumerate(zip(dims, dims[1:])):
        weights += [numpy_helper.from_array(rng.normal(size=(b, a), scale=a**-0.5).astype(np.float32), f"w{i}"), numpy_helper.from_array(np.zeros(b, np.float32), f"b{i}")]
        nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [f"y{i}"], transB=1))
        name = f"y{i}"
        if i + 2 < len(dims):
            nodes.append(helper.make_node("Relu", [name], [f"r{i}"]))
            name = f"r{i}"
    graph = helper.make_graph(nodes, "mlp", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, dims[0]])],
                              [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, dims[-1]])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    x = rng.random((batch, dims[0])).astype(np.float32)
    return lambda: session.run(None, {"x": x})


PEERS = {"torch": lambda c: torch_step(c, False), "torch.compile": lambda c: torch_step(c, True), "jax": jax_step, "onnxruntime": onnx_step}


def median(step, seconds):
    """Microseconds of a step: the median over rounds of about a millisecond."""
    start = time.perf_counter()
    step()
    once = max(time.perf_counter() - start, 1e-7)
    n, times, end = max(1, int(1e-3 / once)), [], time.perf_counter() + seconds
    while time.perf_counter() < end or not times:
        start = time.perf_counter()
        for _ in range(n):
            step()
        times.append((time.perf_counter() - start) / n)
    times.sort()
    return times[len(times) // 2] * 1e6


def main():
    """Answers until the input ends; steps are made once and kept."""
    steps = {}
    for line in sys.stdin:
        case = json.loads(line)
        key = json.dumps({k: case[k] for k in ("dims", "batch", "mode", "optimizer")})
        if key not in steps:
            steps[key] = PEERS[PEER](case)
            for _ in range(5):
                steps[key] and steps[key]()
        print(json.dumps(median(steps[key], case["seconds"]) if steps[key] else None), flush=True)


if __name__ == "__main__":
    main()
