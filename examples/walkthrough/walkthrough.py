"""The cells of the notes in PyTorch 2.15: python walkthrough.py > testdata/expected.txt

main.go prints the same text. The notes drew their weights without a seed; here one seed at the start stands in.
"""

import torch
import torch.nn.functional as F
from torch import nn, optim

torch.manual_seed(42)

print("## 1.1 Sigmoid")
input_tensor = torch.tensor([[6]])
sigmoid = nn.Sigmoid()
print(sigmoid(input_tensor))

input_tensor = torch.tensor([[1.34, 3.65, -0.78]])
model = nn.Sequential(
    nn.Linear(3, 5),
    nn.Linear(5, 1),
    nn.Sigmoid(),
)
print("Model capacity:", sum(p.numel() for p in model.parameters()))
print(model(input_tensor))

print("\n## 1.2 Softmax")
input_tensor = torch.tensor([[1.0, 4.0, 8.0]])
model = nn.Sequential(
    nn.Linear(3, 4),
    nn.Linear(4, 3),
    nn.Softmax(dim=-1),
)
print(model)
print(model(input_tensor))

print("\n## 2.1 Binary classification")
input_tensor = torch.tensor([[2.0, 3.0, 7.0], [2.6, 1.0, 9.8], [0.0, 1.6, 7.7]])
binary_model = nn.Sequential(
    nn.Linear(3, 1),
    nn.Sigmoid(),
)
print(binary_model(input_tensor))

print("\n## 2.2 Multiclass classification")
multiclass_model = nn.Sequential(
    nn.Linear(3, 2),
    nn.Softmax(dim=-1),
)
print(multiclass_model(input_tensor))

print("\n## 2.3 Regression")
regression_model = nn.Sequential(
    nn.Linear(3, 4),
    nn.Linear(4, 1),
)
print(regression_model(input_tensor))

print("\n## 3 Loss functions")
for i in range(3):
    print(F.one_hot(torch.tensor(i), num_classes=3))

scores = torch.tensor([-5.2, 4.6, 0.9])
one_hot_target = torch.tensor([1, 0, 0])
criterion = nn.CrossEntropyLoss()
print(criterion(scores.double(), one_hot_target.double()))

print("\n## 4.1 Backpropagation")
ground_tensor = torch.tensor([[1, 0], [0, 1], [0, 1]])
model = nn.Sequential(
    nn.Linear(3, 8),
    nn.Linear(8, 4),
    nn.Linear(4, 2),
)
prediction = model(input_tensor)
print(prediction)

criterion = nn.CrossEntropyLoss()
loss = criterion(prediction.double(), ground_tensor.double())
print(loss, "\n")
loss.backward()
for layer in model:
    print(layer.weight.grad, layer.bias.grad)

# The prediction that the notes print, and what they derive from it: the loss and the last bias's gradient.
noted = torch.tensor([[1.9262, -0.6916], [1.9648, -1.0276], [1.5638, -0.7684]], requires_grad=True)
noted_loss = criterion(noted.double(), ground_tensor.double())
noted_loss.backward()
print(noted_loss)
print(noted.grad.sum(0))

print("\n## 4.1 Manual update")
lr = 0.001
weight = model[2].weight
weight = weight - (lr * weight.grad)
print(weight)
bias = model[2].bias
bias = bias - (lr * bias.grad)
print(bias)

print("\n## 4.2 Gradient descent")
optimizer = optim.SGD(model.parameters(), lr=0.001)
optimizer.step()
print(model[2].weight.detach())
print(model[2].bias.detach())
print(criterion(model(input_tensor).double(), ground_tensor.double()))
