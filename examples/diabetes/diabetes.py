"""The twin of main.go in PyTorch 2.15: python diabetes.py testdata/curve.json"""

import json
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED, EPOCHS, BATCH, LR = 42, 60, 32, 5e-3

table = numpy.loadtxt(pathlib.Path(__file__).parent / "../internal/datasets/diabetes.csv.gz", delimiter=",", skiprows=1)
features = torch.tensor(table[:, :-1], dtype=torch.float64)
targets = torch.tensor(table[:, -1:], dtype=torch.float64)

torch.manual_seed(SEED)
order = torch.randperm(len(targets))
cut = len(targets) * 8 // 10
train, test = order[:cut], order[cut:]


def standardised(x):
    """By the training part's mean and deviation."""
    mean, std = x[train].mean(dim=0), x[train].std(dim=0, unbiased=False)
    return ((x - mean) / std).float(), std


features, _ = standardised(features)
targets, scale = standardised(targets)

model = nn.Sequential(nn.Linear(10, 16), nn.GELU(), nn.Dropout(0.0), nn.Linear(16, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.1)
loader = DataLoader(TensorDataset(features[train], targets[train]), batch_size=BATCH, shuffle=True)

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

with torch.no_grad():
    error = criterion(model(features[test]), targets[test]).sqrt().item() * scale.item()

print(f"losses {losses}\ntest error {error:.2f}")
if len(sys.argv) > 1:
    record = {"torch": torch.__version__, "seed": SEED, "losses": losses, "test_error": error}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(record, indent=1) + "\n")
