"""The twin of main.go in PyTorch 2.15: python cnn.py testdata/curve.json

Same seed, same split, same order of batches, same model: main.go must follow the recorded losses.
"""

import json
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED, EPOCHS, BATCH, LR, DECAY = 1, 15, 32, 2e-3, 0.05

table = numpy.loadtxt(pathlib.Path(__file__).parent / "../internal/datasets/digits.csv.gz", delimiter=",", skiprows=1)
images = torch.tensor(table[:, :-1], dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
labels = torch.tensor(table[:, -1], dtype=torch.int64)

torch.manual_seed(SEED)
order = torch.randperm(len(labels))
cut = len(labels) * 8 // 10
train, test = order[:cut], order[cut:]

model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1),
    nn.BatchNorm2d(32),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(128, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=DECAY)
loader = DataLoader(TensorDataset(images[train], labels[train]), batch_size=BATCH, shuffle=True)

losses = []
for epoch in range(EPOCHS):
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    losses.append(total / len(train))

model.eval()
with torch.no_grad():
    accuracy = (model(images[test]).argmax(dim=1) == labels[test]).double().mean().item()

print(f"losses {losses}\ntest accuracy {accuracy:.4f}")
if len(sys.argv) > 1:
    record = {"torch": torch.__version__, "seed": SEED, "losses": losses, "test_accuracy": accuracy}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(record, indent=1) + "\n")
