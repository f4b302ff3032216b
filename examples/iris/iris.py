"""The twin of main.go in PyTorch 2.15: python iris.py testdata/curve.json"""

import json
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED, EPOCHS, BATCH, LR = 1, 100, 16, 0.01

table = numpy.loadtxt(pathlib.Path(__file__).parent / "../internal/datasets/iris.csv.gz", delimiter=",", skiprows=1)
features = torch.tensor(table[:, :-1], dtype=torch.float32)
labels = torch.tensor(table[:, -1], dtype=torch.int64)

torch.manual_seed(SEED)
order = torch.randperm(len(labels))
cut = len(labels) * 8 // 10
train, test = order[:cut], order[cut:]

model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=50, gamma=0.1)
loader = DataLoader(TensorDataset(features[train], labels[train]), batch_size=BATCH, shuffle=True)

losses = []
for epoch in range(EPOCHS):
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    scheduler.step()
    losses.append(total / len(train))

with torch.no_grad():
    accuracy = (model(features[test]).argmax(dim=1) == labels[test]).double().mean().item()

print(f"losses {losses}\ntest accuracy {accuracy:.4f}")
if len(sys.argv) > 1:
    record = {"torch": torch.__version__, "seed": SEED, "losses": losses, "test_accuracy": accuracy}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(record, indent=1) + "\n")
