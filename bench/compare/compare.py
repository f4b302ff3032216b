"""aegis beside PyTorch, JAX and ONNX Runtime: ReLU networks with cross-entropy, side by side in one run.

    python bench/compare/compare.py            prints the table, and writes it and a chart: table.md and chart.svg beside this file

Every peer at every thread count is a process of its own; the rounds of a case go around all of them in turn, and the
median of the rounds counts. The ratio is aegis over the best peer, each at its better thread count.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CASES = [
    ([3, 8, 4, 2], 3, "sgd"), ([4, 16, 3], 16, "sgd"), ([64, 32, 10], 32, "adam"), ([784, 512, 256, 10], 1, "sgd"), ([784, 512, 256, 10], 32, "sgd"),
    ([784, 512, 256, 10], 64, "sgd"), ([784, 512, 256, 10], 256, "sgd"), ([784, 512, 256, 10], 1024, "sgd"), ([784, 512, 256, 10], 64, "adam"),
    ([1024, 1024, 1024, 1024], 128, "sgd"),
]
PEERS = ["torch", "torch.compile", "jax", "onnxruntime"]


def ask(worker, case):
    """One measurement of a peer."""
    worker.stdin.write(json.dumps(case) + "\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


def aegis(binary, case, threads):
    """One measurement of ours."""
    command = [binary, "mlp", "-dims", ",".join(map(str, case["dims"])), "-batch", str(case["batch"]), "-mode", case["mode"],
               "-optimizer", case["optimizer"], "-threads", str(threads), "-seconds", str(case["seconds"]), "-json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def measure(case, workers, binary, rounds, threads):
    """The median of the rounds, by peer and thread count."""
    times, simd = {}, ""
    for _ in range(rounds):
        for t in threads:
            r = aegis(binary, case, t)
            simd = r["simd"]
            times.setdefault(("aegis", t), []).append(r["median_us"])
            for peer in PEERS:
                value = ask(workers[peer, t], case)
                time.sleep(0.05)  # threads of ONNX Runtime spin on for 40 ms
                if value is not None:
                    times.setdefault((peer, t), []).append(value)
    return {k: statistics.median(v) for k, v in times.items()}, simd


def machine(simd):
    """What was measured on, and which versions of the peers."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "jax", "onnxruntime"))
    return f"{model}, {os.cpu_count()} cores, {simd}; {versions}"


def chart(rows, about):
    """A drawing of the ratios: a bar a case, and a line where aegis takes as long as the best peer."""
    width, left, height, top = 760, 330, 20, 46
    most = max(1.2, *(ratio for _, ratio in rows))
    x = lambda v: left + v / most * (width - left - 60)
    bottom = top + height * len(rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 24}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>',
           '<text x="10" y="18" font-size="14">Time of a step, aegis over the best peer: shorter is better</text>',
           f'<text x="10" y="36" fill="#666">{escape(about)}</text>']
    for i, (name, ratio) in enumerate(rows):
        y = top + height * i
        out += [f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
                f'<rect x="{left}" y="{y + 3}" width="{x(ratio) - left:.1f}" height="{height - 6}" fill="{"#2a7" if ratio <= 1 else "#c63"}"/>',
                f'<text x="{x(ratio) + 5:.1f}" y="{y + 14}">{ratio:.2f}</text>']
    out += [f'<line x1="{x(1):.1f}" y1="{top}" x2="{x(1):.1f}" y2="{bottom}" stroke="#333" stroke-dasharray="3 3"/>',
            f'<text x="{x(1):.1f}" y="{bottom + 15}" text-anchor="middle">as long as the best peer</text>', "</svg>"]
    return "\n".join(out) + "\n"


def main():
    """Runs all cases."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=0.2, help="of one measurement")
    p.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    p.add_argument("--out", type=Path, default=HERE / "table.md", help="a file, or a folder for table.md")
    args = p.parse_args()
    if args.out.is_dir():
        args.out /= "table.md"
    binary = str(HERE / ".bench")
    subprocess.run(["go", "build", "-o", binary, "./bench"], cwd=ROOT, check=True)
    workers = {(peer, t): subprocess.Popen([sys.executable, HERE / "worker.py", peer, str(t)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           stderr=subprocess.DEVNULL, text=True) for peer in PEERS for t in args.threads}
    rows, ratios = [], []
    for mode in ("train", "infer"):
        for dims, batch, rule in CASES:
            if mode == "infer" and rule == "adam" and batch == 64:
                continue
            case = {"dims": dims, "batch": batch, "optimizer": rule, "mode": mode, "seconds": args.seconds}
            times, simd = measure(case, workers, binary, args.rounds, args.threads)
            best = {peer: min((v for (q, _), v in times.items() if q == peer), default=None) for peer in ["aegis", *PEERS]}
            ratio = best["aegis"] / min(v for q, v in best.items() if q != "aegis" and v is not None)
            name = f"{'-'.join(map(str, dims))}, B {batch}, {rule.upper() if rule == 'sgd' else 'Adam'}, {mode}"
            cells = [f"{best[q]:.3g}" if best[q] is not None else "" for q in ["aegis", *PEERS]]
            ratios.append((name, ratio))
            rows.append(f"| {name} | {' | '.join(cells)} | {ratio:.2f} |")
            print(rows[-1], flush=True)
    for w in workers.values():
        w.stdin.close()
        w.wait()
    os.remove(binary)
    about = machine(simd)
    head = f"Microseconds, each at the better of {args.threads} threads, the median of {args.rounds} rounds; {about}.\n\n"
    table = "| case | aegis | PyTorch | torch.compile | JAX | ONNX Runtime | ratio to the best |\n|---|---|---|---|---|---|---|\n"
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(head + table + "\n".join(rows) + "\n")
    args.out.with_name("chart.svg").write_text(chart(ratios, about))


if __name__ == "__main__":
    main()
