"""PyTorch: the same networks as its experts write them for one core, data in tensors, one gather an epoch.

L2 is the optimizer's weight decay over all parameters, biases as well: less work than leaving biases out.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.problem import Case

torch.set_num_threads(1)
torch.set_num_interop_threads(1)


class _Steps:
    """What the variants share: whole epochs over shuffled data."""

    def __init__(self, *, case: dict[str, Any], epochs: int) -> None:
        torch.manual_seed(0)
        self.case = Case(**case)
        self.epochs = epochs
        x, y = self.case.data()
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)

    def adam(self, parameters: Any, kind: str) -> torch.optim.Adam:
        settings = {"lr": self.case.learning_rate, "weight_decay": self.case.l2}
        return torch.optim.Adam(parameters, **settings, **({} if kind == "plain" else {kind: True}))


class Modules(_Steps):
    """One network of `nn.Module`s. `optimizer`: plain, foreach or fused; `flat`: parameters in one tensor, fused."""

    def __init__(self, *, optimizer: str, compiled: bool = False, **problem: Any) -> None:
        super().__init__(**problem)
        self.model = _perceptron(self.case)
        self.zero: Callable[[], None]
        if optimizer == "flat":
            parameter = flatten(self.model)
            self.optimizer = self.adam([parameter], "fused")
            self.zero = parameter.grad.zero_
        else:
            self.optimizer = self.adam(self.model.parameters(), optimizer)
            self.zero = self.optimizer.zero_grad
        self.loss: Callable[[Tensor, Tensor], Tensor] = self._loss
        if compiled:
            self.loss = torch.compile(self._loss, fullgraph=True, dynamic=False)

    def _loss(self, x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(self.model(x), y)

    def repeat(self) -> None:
        batch = self.case.batch
        for _ in range(self.epochs):
            order = torch.randperm(len(self.x))
            for x, y in zip(self.x[order].split(batch), self.y[order].split(batch), strict=True):
                self.zero()
                self.loss(x, y).backward()
                self.optimizer.step()

    def report(self) -> dict[str, Any]:
        self.model.eval()
        with torch.inference_mode():
            return {"loss": float(self._loss(self.x, self.y))}


class Stacked(_Steps):
    """K networks in one: weights (K, D, H), layers by `baddbmm`, one optimizer over all."""

    def __init__(self, *, networks: int, optimizer: str = "fused", **problem: Any) -> None:
        super().__init__(**problem)
        self.networks = networks
        self.weights = [torch.from_numpy(w).requires_grad_() for w in self.case.initial(networks)]
        self.biases = [torch.zeros(networks, 1, h, requires_grad=True) for _, h in self.case.layers]
        self.optimizer = self.adam([*self.weights, *self.biases], optimizer)

    def forward(self, x: Tensor, *, training: bool) -> Tensor:
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = F.dropout(torch.baddbmm(bias, x, weight).relu_(), self.case.dropout, training)
        return torch.baddbmm(self.biases[-1], x, self.weights[-1])

    def repeat(self) -> None:
        batch = self.case.batch
        for _ in range(self.epochs):
            order = torch.rand(self.networks, len(self.x)).argsort(1)
            batches = zip(self.x[order].split(batch, 1), self.y[order].split(batch, 1), strict=True)
            for x, y in batches:
                self.optimizer.zero_grad()
                outputs = self.forward(x, training=True)
                loss = F.cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="sum") / batch
                loss.backward()
                self.optimizer.step()

    def report(self) -> dict[str, Any]:
        with torch.inference_mode():
            outputs = self.forward(self.x.expand(self.networks, -1, -1), training=False)
            return {"loss": float(F.cross_entropy(outputs.flatten(0, 1), self.y.repeat(self.networks)))}


def _perceptron(case: Case) -> nn.Sequential:
    parts: list[nn.Module] = []
    for weight in case.initial(1):
        layer = nn.Linear(*weight.shape[1:])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight[0].T))
            layer.bias.zero_()
        parts += [layer, nn.ReLU(inplace=True), nn.Dropout(case.dropout)]
    return nn.Sequential(*parts[:-2])


def flatten(model: nn.Module) -> nn.Parameter:
    """All parameters and gradients as views of one tensor each, so that the optimizer sees a single one."""
    parts = list(model.parameters())
    flat = nn.Parameter(torch.cat([part.detach().flatten() for part in parts]))
    flat.grad = torch.zeros_like(flat)
    sizes = [part.numel() for part in parts]
    for part, values, gradient in zip(parts, flat.data.split(sizes), flat.grad.split(sizes), strict=True):
        part.data, part.grad = values.view_as(part), gradient.view_as(part)
    return flat
