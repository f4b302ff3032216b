"""aegis beside PyTorch, eager and compiled: networks of other kinds than bench mlp's, side by side in one run.

    python bench/compare/models.py             prints the table, and writes bench/compare/models.md

Every peer at every thread count is a process of its own; the rounds of a case go around all of them in turn, and the
median of the rounds counts. The ratio is aegis over the better PyTorch, each at its better thread count.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def build(name):
    """The network, its batch, the shape of a sample, the number of classes, and what makes one tensor of the output."""
    import torch
    from torch import nn

    def stage(a, b):
        return [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2)]

    def first(out):
        return out[0]

    def same(out):
        return out

    return {
        "layernorm": lambda: (nn.LayerNorm(1024), 1024, (1024,), 0, same),
        "embedding": lambda: (nn.Embedding(10000, 128), 256, (), 0, same),
        "lenet": lambda: (nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
                                        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)), 64, (1, 28, 28), 10, same),
        "cnn": lambda: (nn.Sequential(*stage(3, 16), *stage(16, 32), *stage(32, 64), nn.Flatten(), nn.Linear(1024, 10)), 32, (3, 32, 32), 10, same),
        "lstm": lambda: (nn.LSTM(64, 128, batch_first=True), 32, (50, 64), 0, first),
        "gru": lambda: (nn.GRU(64, 128, batch_first=True), 32, (50, 64), 0, first),
        "transformer": lambda: (nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True), 16, (64, 128), 0, same),
    }[name]()


NAMES = ["lenet", "cnn", "lstm", "gru", "transformer", "layernorm", "embedding"]


def step_of(name, mode, compiled):
    """A training step or a prediction."""
    import torch

    torch.manual_seed(42)
    model, batch, shape, classes, value = build(name)
    x = torch.arange(batch) if name == "embedding" else torch.rand(batch, *shape)
    if mode == "infer":
        model.eval()
        f = torch.compile(model) if compiled else model

        def predict():
            with torch.inference_mode():
                f(x)

        return predict
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    y = torch.arange(batch) % max(classes, 1)
    with torch.no_grad():
        cotangent = torch.rand_like(value(model(x)))

    def loss(x):
        out = value(model(x))
        return torch.nn.functional.cross_entropy(out, y) if classes else out

    f = torch.compile(loss) if compiled else loss

    def train():
        optimizer.zero_grad(set_to_none=True)
        out = f(x)
        out.backward() if classes else out.backward(cotangent)
        optimizer.step()

    return train


def worker(peer, threads):
    """Answers cases, a JSON line each, with the median microseconds of a step."""
    if threads == 1:
        os.sched_setaffinity(0, {0})
    import torch

    torch.set_num_threads(threads)
    steps = {}
    for line in sys.stdin:
        case = json.loads(line)
        key = case["name"], case["mode"]
        if key not in steps:
            steps[key] = step_of(*key, peer == "torch.compile")
            for _ in range(5):
                steps[key]()
        times, end = [], time.perf_counter() + case["seconds"]
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            steps[key]()
            times.append(time.perf_counter() - start)
        print(json.dumps(statistics.median(times) * 1e6), flush=True)


def aegis(binary, name, mode, threads, seconds):
    """One measurement of ours."""
    command = [binary, name, "-mode", mode, "-threads", str(threads), "-seconds", str(seconds), "-json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def main():
    """Runs all cases."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=0.3, help="of one measurement")
    p.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    p.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    p.add_argument("--out", type=Path, default=HERE / "models.md", help="a file, or a folder for models.md")
    p.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.out.is_dir():
        args.out /= "models.md"
    if args.worker:
        worker(args.worker[0], int(args.worker[1]))
        return
    peers = ["torch", "torch.compile"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        binary = f"{folder}/bench"
        subprocess.run(["go", "build", "-o", binary, "./bench"], cwd=ROOT, check=True)
        workers = {(peer, t): subprocess.Popen([sys.executable, __file__, "--worker", peer, str(t)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                               stderr=subprocess.DEVNULL, text=True) for peer in peers for t in args.threads}
        for name in args.only:
            for mode in ("train", "infer"):
                times = {}
                for _ in range(args.rounds):
                    for t in args.threads:
                        r = aegis(binary, name, mode, t, args.seconds)
                        times.setdefault(("aegis", t), []).append(r["median_us"])
                        for peer in peers:
                            w = workers[peer, t]
                            w.stdin.write(json.dumps({"name": name, "mode": mode, "seconds": args.seconds}) + "\n")
                            w.stdin.flush()
                            times.setdefault((peer, t), []).append(json.loads(w.stdout.readline()))
                medians = {k: statistics.median(v) for k, v in times.items()}
                best = {peer: min(v for (q, _), v in medians.items() if q == peer) for peer in ["aegis", *peers]}
                ratio = best["aegis"] / min(best[q] for q in peers)
                rows.append(f"| {name}, B {r['batch']}, {mode} | {' | '.join(f'{best[q]:.4g}' for q in best)} | {ratio:.2f} |")
                print(rows[-1], flush=True)
        for w in workers.values():
            w.stdin.close()
            w.wait()
    import torch

    head = f"Microseconds, each at the better of {args.threads} threads; {platform.processor() or platform.machine()}, {os.cpu_count()} cores, {r['simd']}, PyTorch {torch.__version__}.\n\n"
    table = "| case | aegis | PyTorch | torch.compile | ratio to the better |\n|---|---|---|---|---|\n"
    args.out.write_text(head + table + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
