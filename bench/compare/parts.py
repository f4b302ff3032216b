"""aegis beside PyTorch, a layer, a loss or an optimizer at a time: those of parts.json.

    python bench/compare/parts.py              prints the table, the slowest first, and writes bench/compare/parts.md
    python bench/compare/parts.py --only MaxPool2d GELU

Before each layer and loss stands a PReLU, so that the gradient of its input is wanted; an optimizer has a weight of 1024×1024 and a batch of
one. PyTorch at every thread count is a process of its own; the rounds of a case go around all of them in turn, and the median of the rounds
counts. The ratio is aegis over PyTorch, each at its better thread count.
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


def kind(case):
    """What the case is of, and its class."""
    return next((k, case[k]) for k in ("layer", "loss", "optimizer") if k in case)


def text(case):
    """The case as PyTorch would print it, and its input's sizes."""
    arguments = ", ".join(f"{k}={v}" for k, v in case["args"].items())
    return f"{kind(case)[1]}({arguments}), {'×'.join(map(str, case['input']))}"


def step_of(case, mode):
    """A training step or a prediction."""
    import torch
    from torch import nn

    torch.manual_seed(42)
    what, name = kind(case)
    x = torch.rand(*case["input"])
    if what == "optimizer":
        model = nn.Linear(1024, 1024, bias=False)
        optimizer = getattr(torch.optim, name)(model.parameters(), **case["args"])
        cotangent = torch.rand(1, 1024)

        def finish(out):
            out.backward(cotangent)

    elif what == "loss":
        model, criterion = nn.PReLU(), getattr(nn, name)(**case["args"])
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
        target = torch.arange(case["input"][0]) % case["classes"] if "classes" in case else torch.rand(*case["input"])

        def finish(out):
            criterion(out, target).backward()

    else:
        first, layer = nn.PReLU(), getattr(nn, name)(**case["args"])

        def model(x):
            out = layer(first(x))
            return out[0] if isinstance(out, tuple) else out

        if mode == "infer":
            layer.eval()

            def predict():
                with torch.inference_mode():
                    model(x)

            return predict
        optimizer = torch.optim.SGD([*first.parameters(), *layer.parameters()], lr=1e-4)
        cotangent = torch.rand_like(model(x))

        def finish(out):
            out.backward(cotangent)

    def train():
        optimizer.zero_grad()
        finish(model(x))
        optimizer.step()

    return train


def worker(threads):
    """Answers each case from standard input with microseconds a step."""
    import torch

    torch.set_num_threads(threads)
    for line in sys.stdin:
        asked = json.loads(line)
        step = step_of(asked["case"], asked["mode"])
        for _ in range(5):
            step()
        times, end = [], time.perf_counter() + asked["seconds"]
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        print(json.dumps(statistics.median(times) * 1e6), flush=True)


def aegis(binary, number, mode, threads, seconds):
    """One measurement of ours."""
    command = [binary, "parts", "-cases", str(HERE / "parts.json"), "-case", str(number), "-mode", mode, "-threads", str(threads), "-seconds", str(seconds), "-json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def main():
    """Runs all cases."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=0.1, help="of one measurement")
    p.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    p.add_argument("--only", nargs="+", metavar="CLASS")
    p.add_argument("--out", type=Path, default=HERE / "parts.md", help="a file, or a folder for parts.md")
    p.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.out.is_dir():
        args.out /= "parts.md"
    if args.worker:
        worker(args.worker)
        return
    cases = json.loads((HERE / "parts.json").read_text())
    rows, simd = [], ""
    with tempfile.TemporaryDirectory() as folder:
        binary = f"{folder}/bench"
        subprocess.run(["go", "build", "-o", binary, "./bench"], cwd=ROOT, check=True)
        workers = {t: subprocess.Popen([sys.executable, __file__, "--worker", str(t)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True) for t in args.threads}
        for number, case in enumerate(cases):
            if args.only and kind(case)[1] not in args.only:
                continue
            for mode in ("train", "infer") if "layer" in case else ("train",):
                ours, theirs = {}, {}
                for _ in range(args.rounds):
                    for t in args.threads:
                        r = aegis(binary, number, mode, t, args.seconds)
                        simd = r["simd"]
                        ours.setdefault(t, []).append(r["median_us"])
                        workers[t].stdin.write(json.dumps({"case": case, "mode": mode, "seconds": args.seconds}) + "\n")
                        workers[t].stdin.flush()
                        theirs.setdefault(t, []).append(json.loads(workers[t].stdout.readline()))
                a, b = (min(statistics.median(v) for v in of.values()) for of in (ours, theirs))
                rows.append((a / b, f"| {text(case)}, {mode} | {a:.4g} | {b:.4g} | {a / b:.2f} |"))
                print(rows[-1][1], flush=True)
        for w in workers.values():
            w.stdin.close()
            w.wait()
    import torch

    rows.sort(reverse=True)
    head = f"Microseconds, each at the better of {args.threads} threads; {platform.processor() or platform.machine()}, {os.cpu_count()} cores, {simd}, PyTorch {torch.__version__}.\n"
    head += f"aegis takes more time in {sum(r > 1 for r, _ in rows)} of {len(rows)} cases; the median ratio is {statistics.median(r for r, _ in rows):.2f}.\n\n"
    table = "| case | aegis | PyTorch | ratio |\n|---|---|---|---|\n"
    args.out.write_text(head + table + "\n".join(row for _, row in rows) + "\n")


if __name__ == "__main__":
    main()
