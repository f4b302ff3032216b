"""The twin of main.go in PyTorch 2.15: python transformer.py testdata/curve.json

Same seed, same order of batches, same model: main.go must follow the recorded losses.
"""

import gzip
import json
import pathlib
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED, EPOCHS, BATCH, LR, GAMMA, DECAY = 1, 24, 16, 3e-3, 0.92, 0.1
STEPS, WIDTH = 64, 64
PROMPT, LENGTH, TEMPERATURE = "Shall I compare thee to a summer's day?\n", 400, 0.7

packed = (pathlib.Path(__file__).parent / "../internal/datasets/sonnets.txt.gz").read_bytes()
sonnets = gzip.decompress(packed).decode("ascii").removesuffix("\n").split("\n\n")
train = "".join(sonnet + "\n\n" for i, sonnet in enumerate(sonnets) if i % 10 != 9)
test = "".join(sonnet + "\n\n" for sonnet in sonnets[9::10])
alphabet = sorted(set(train + test))


def indices(text: str) -> torch.Tensor:
    return torch.tensor([alphabet.index(character) for character in text])


def windows(text: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    n = (len(text) - 1) // STEPS
    return text[: n * STEPS].reshape(n, STEPS), text[1 : n * STEPS + 1].reshape(n, STEPS)


class Poet(nn.Module):
    def __init__(self):
        super().__init__()
        self.characters = nn.Embedding(len(alphabet), WIDTH)
        self.places = nn.Embedding(STEPS, WIDTH)
        layer = nn.TransformerEncoderLayer(
            WIDTH, 4, dim_feedforward=4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, len(alphabet))
        nn.init.normal_(self.characters.weight, std=0.1)
        nn.init.normal_(self.places.weight, std=0.1)
        self.mask = torch.ones(STEPS, STEPS, dtype=torch.bool).triu(1)

    def forward(self, x):
        y = self.characters(x) + self.places(torch.arange(STEPS))
        return self.head(self.encoder(y, mask=self.mask)).transpose(1, 2)


train, (test_x, test_y) = indices(train), windows(indices(test))

torch.manual_seed(SEED)
model = Poet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=DECAY)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, GAMMA)

losses, validation = [], []
for epoch in range(EPOCHS):
    pieces = TensorDataset(*windows(train[torch.randint(STEPS, ()) :]))
    model.train()
    total, rows = 0.0, 0
    for x, y in DataLoader(pieces, batch_size=BATCH, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total, rows = total + loss.item() * len(y), rows + len(y)
    scheduler.step()
    model.eval()
    with torch.no_grad():
        scores = model(test_x)
        validation.append(criterion(scores, test_y).item())
    losses.append(total / rows)
    print(f"epoch {epoch + 1} of {EPOCHS}: loss {losses[-1]:.4f}, validation {validation[-1]:.4f}")
accuracy = (scores.argmax(dim=1) == test_y).double().mean().item()

written = indices(PROMPT).tolist()
with torch.no_grad():
    for _ in range(LENGTH):
        seen = written[-STEPS:]
        window = torch.tensor([seen + [0] * (STEPS - len(seen))])
        probabilities = (model(window)[0, :, len(seen) - 1].double() / TEMPERATURE).softmax(dim=0)
        written.append(int((probabilities.cumsum(dim=0) < torch.rand(())).sum()))

verses = "".join(alphabet[i] for i in written)
print(f"{verses}\n\ntest accuracy {accuracy:.4f}")
if len(sys.argv) > 1:
    record = {"torch": torch.__version__, "seed": SEED, "losses": losses, "validation": validation}
    record |= {"test_accuracy": accuracy, "verses": verses}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(record, indent=1) + "\n")
