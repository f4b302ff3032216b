"""The twin of main.go in PyTorch 2.15: python sequence.py testdata/curve.json

Same seed, same order of batches, same model: main.go must follow the recorded losses.
"""

import json
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED, EPOCHS, BATCH, LR, GAMMA, DECAY = 1, 40, 30, 5e-3, 0.95, 0.01
TRAIN, LONGEST = 270, 29

table = numpy.loadtxt(pathlib.Path(__file__).parent / "../internal/datasets/vowels.csv.gz", delimiter=",", skiprows=1)
starts = numpy.flatnonzero(numpy.diff(table[:, 0])) + 1
voices, labels = torch.zeros(len(starts) + 1, LONGEST, 12), torch.zeros(len(starts) + 1, dtype=torch.int64)
for i, steps in enumerate(numpy.split(table, starts)):
    voices[i, LONGEST - len(steps) :] = torch.tensor(steps[:, 1:-1])
    labels[i] = int(steps[0, -1])


class Speaker(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(12, 64, batch_first=True)
        self.head = nn.Linear(64, 9)

    def forward(self, x):
        outputs, _ = self.gru(x)
        return self.head(outputs[:, -1])


torch.manual_seed(SEED)
model = Speaker()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=DECAY)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, GAMMA)
loader = DataLoader(TensorDataset(voices[:TRAIN], labels[:TRAIN]), batch_size=BATCH, shuffle=True)

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
    losses.append(total / TRAIN)

model.eval()
with torch.no_grad():
    accuracy = (model(voices[TRAIN:]).argmax(dim=1) == labels[TRAIN:]).double().mean().item()

print(f"losses {losses}\ntest accuracy {accuracy:.4f}")
if len(sys.argv) > 1:
    record = {"torch": torch.__version__, "seed": SEED, "losses": losses, "test_accuracy": accuracy}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(record, indent=1) + "\n")
