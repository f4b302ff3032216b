"""aegis beside PyTorch on an NVIDIA GPU: ReLU networks with cross-entropy and SGD, side by side in one run.

    go build -tags gpu -o bench/compare/bench ./bench      # where Go is; see cuda/README.md
    python cuda.py [--bench ./bench]                       # where the GPU and PyTorch are: prints the table, writes cuda.md

PyTorch runs eager, by torch.compile(mode="reduce-overhead"), and as a CUDA graph captured by hand, each in a process of its own, as
aegis does. Inputs lie on the GPU, and a round of many steps is waited for at its end; rounds of all go around in turn, and the
median counts. In float32 and in TF32 (torch.set_float32_matmul_precision("high")). The ratio is aegis over the best of the others;
host is how long aegis keeps the host busy with a step; share is the time of a step's matrix products alone, by cuBLAS, in aegis's.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = ["eager", "compile", "graph"]
DIGITS, WIDE = [784, 512, 256, 10], [4096, 4096, 4096, 4096]
CASES = [
    {"dims": dims, "batch": batch, "mode": mode, "tf32": tf32}
    for dims, batch in ((DIGITS, 64), (DIGITS, 1024), (DIGITS, 8192), (WIDE, 1024))
    for mode in ("train", "infer")
    for tf32 in (False, True)
]


def build(case):
    """The network, its inputs and labels, on the GPU."""
    import torch
    from torch import nn

    torch.manual_seed(42)
    torch.set_float32_matmul_precision("high" if case["tf32"] else "highest")
    dims, layers = case["dims"], []
    for i in range(len(dims) - 1):
        layers += [nn.ReLU()] * (i > 0) + [nn.Linear(dims[i], dims[i + 1])]
    model = nn.Sequential(*layers).cuda()
    x = torch.rand(case["batch"], dims[0], device="cuda")
    y = torch.arange(case["batch"], device="cuda") % dims[-1]
    return model, x, y


def infer(case, peer):
    """A prediction whose value stays on the GPU."""
    import torch

    model, x, _ = build(case)
    model.eval()
    f = torch.compile(model, mode="reduce-overhead") if peer == "compile" else model

    def step():
        with torch.inference_mode():
            f(x)

    return captured(step) if peer == "graph" else step


def train(case, peer):
    """A training step."""
    import torch

    model, x, y = build(case)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def loss(x, y):
        return torch.nn.functional.cross_entropy(model(x), y)

    f = torch.compile(loss, mode="reduce-overhead") if peer == "compile" else loss

    def step():
        optimizer.zero_grad(set_to_none=True)
        f(x, y).backward()
        optimizer.step()

    return captured(step) if peer == "graph" else step


def captured(step):
    """The step as a CUDA graph, captured as PyTorch's notes on CUDA say."""
    import torch

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def timed(step, n):
    """Microseconds of each of n steps."""
    import torch

    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(n):
        step()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / n * 1e6


def worker(peer):
    """Answers cases, a JSON line each."""
    steps = {}
    for line in sys.stdin:
        case = json.loads(line)
        seconds = case.pop("seconds")
        key = json.dumps(case)
        if key not in steps:
            steps.clear()  # and its memory
            steps[key] = {"train": train, "infer": infer}[case["mode"]](case, peer)
            timed(steps[key], 10)
        once = timed(steps[key], 10)
        n, times, end = max(1, int(10_000 / once)), [], time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 3:
            times.append(timed(steps[key], n))
        print(json.dumps({"step_us": statistics.median(times)}), flush=True)


def ask(process, case, seconds):
    """One measurement."""
    process.stdin.write(json.dumps({**case, "seconds": seconds}) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit(f"{process.args}: stopped at {case}")
    return json.loads(answer)


def main():
    """Runs all cases."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", type=Path, default=HERE / "bench", help="the program built of bench with -tags gpu")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=0.5, help="of one measurement")
    p.add_argument("--out", type=Path, default=HERE / "cuda.md", help="a file, or a folder for cuda.md")
    p.add_argument("--worker", choices=PEERS, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.out.is_dir():
        args.out /= "cuda.md"
    if args.worker:
        worker(args.worker)
        return
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = {"aegis": subprocess.Popen([args.bench.resolve(), "cuda", "-worker"], **pipes)}
    for peer in PEERS:
        workers[peer] = subprocess.Popen([sys.executable, __file__, "--worker", peer], **pipes)
    rows = []
    for case in CASES:
        answers = {name: [] for name in workers}
        for _ in range(args.rounds):
            for name, w in workers.items():
                answers[name].append(ask(w, case, args.seconds))
        step = {name: statistics.median(a["step_us"] for a in list_) for name, list_ in answers.items()}
        host, blas = (statistics.median(a[field] for a in answers["aegis"]) for field in ("host_us", "blas_us"))
        ratio = step["aegis"] / min(step[peer] for peer in PEERS)
        name = f"{'-'.join(map(str, case['dims']))}, B {case['batch']}, {case['mode']}, {'TF32' if case['tf32'] else 'float32'}"
        cells = " | ".join(f"{step[n]:.1f}" for n in workers)
        rows.append(f"| {name} | {cells} | {ratio:.2f} | {host:.1f} | {100 * blas / step['aegis']:.0f} % |")
        print(rows[-1], flush=True)
    for w in workers.values():
        w.stdin.close()
        w.wait()
    import torch

    head = f"Microseconds a step; {torch.cuda.get_device_name()}, PyTorch {torch.__version__}, CUDA {torch.version.cuda}.\n\n"
    table = "| case | aegis | eager | compile, reduce-overhead | CUDA graph | ratio to the best | host | share |\n|---|---|---|---|---|---|---|---|\n"
    args.out.write_text(head + table + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
