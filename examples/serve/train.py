"""Trains a network in PyTorch 2.15 and exports it for main.go: python train.py

Writes model.safetensors, and testdata/answers.json: what PyTorch itself answers to some images.
"""

import json
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "../../parity"))

from recorder.export import save  # noqa: E402

torch.manual_seed(3)
table = numpy.loadtxt(HERE / "../internal/datasets/digits.csv.gz", delimiter=",", skiprows=1)
images, labels = torch.tensor(table[:, :-1], dtype=torch.float32), torch.tensor(table[:, -1], dtype=torch.int64)
order = torch.randperm(len(labels))
train, test = order[:1437], order[1437:]

model = nn.Sequential(
    nn.BatchNorm1d(64, momentum=None),
    nn.Unflatten(1, (1, 8, 8)),
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(128, 10),
    nn.Softmax(dim=-1),
)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
loader = DataLoader(TensorDataset(images[train], labels[train]), batch_size=32, shuffle=True)
for _ in range(15):
    for x, y in loader:
        optimizer.zero_grad()
        nn.functional.nll_loss(model(x).clamp_min(1e-9).log(), y).backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    answers = model(images[test])
print(f"test accuracy {(answers.argmax(dim=1) == labels[test]).double().mean():.4f}")
save(model, HERE / "model.safetensors")
some = [{"row": int(i), "digit": int(labels[i]), "probabilities": p.tolist()} for i, p in zip(test[:20], answers)]
(HERE / "testdata").mkdir(exist_ok=True)
(HERE / "testdata/answers.json").write_text(json.dumps({"torch": torch.__version__, "answers": some}, indent=1) + "\n")
