"""PyTorch: convolutional and recurrent networks as its experts write them for one core.

Data in tensors, one gather an epoch, laid out there as the network reads it: images channels first or last, sequences
with batch or time first. L2 is the optimizer's weight decay.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers.torch_steps import flatten
from benchmarks.problem import Layered

RECURRENT = {"simple_rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Steps:
    """One network. `first`: inputs have channels or the batch first, else last or time first; `optimizer`: fused or flat."""

    def __init__(self, *, case: dict[str, Any], epochs: int, optimizer: str, first: bool = True) -> None:
        torch.manual_seed(0)
        self.case, self.epochs = Layered(**case), epochs
        x, y = self.case.data()
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        self.arrange, self.model = _network(self.case, first=first)
        settings = {"lr": self.case.learning_rate, "weight_decay": self.case.l2, "fused": True}
        if optimizer == "flat":
            parameter = flatten(self.model)
            self.optimizer, self.zero = torch.optim.Adam([parameter], **settings), parameter.grad.zero_
        else:
            self.optimizer = torch.optim.Adam(self.model.parameters(), **settings)
            self.zero = self.optimizer.zero_grad

    def _loss(self, x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(self.model(x), y)

    def repeat(self) -> None:
        batch = self.case.batch
        for _ in range(self.epochs):
            order = torch.randperm(len(self.x))
            batches = self.arrange(self.x[order].unflatten(0, (-1, batch)))
            for x, y in zip(batches, self.y[order].split(batch), strict=True):
                self.zero()
                self._loss(x, y).backward()
                self.optimizer.step()

    def report(self) -> dict[str, Any]:
        self.model.eval()
        with torch.inference_mode():
            return {"loss": float(self._loss(self.arrange(self.x[None])[0], self.y))}


def _network(case: Layered, *, first: bool) -> tuple[Callable[[Tensor], Tensor], nn.Module]:
    """How an epoch's batches (steps, B, ...) are laid out, and the network that reads each."""
    kind = next(iter(case.layers[0]))
    if kind in RECURRENT:
        model = _Recurrent(case, kind, batch_first=first)
        return (lambda x: x) if first else (lambda x: x.transpose(1, 2).contiguous()), model
    convolutional = _convolutional(case)
    if len(case.shape) == 2:
        return lambda x: x.movedim(-1, 2).contiguous(), convolutional
    if first:
        return lambda x: x.movedim(-1, 2).contiguous(), convolutional
    return lambda x: x.movedim(-1, 2), convolutional.to(memory_format=torch.channels_last)


class _Recurrent(nn.Module):
    def __init__(self, case: Layered, kind: str, *, batch_first: bool) -> None:
        super().__init__()
        units = case.layers[0][kind]
        self.recurrent = RECURRENT[kind](case.shape[1], units, batch_first=batch_first)
        self.output = nn.Linear(units, case.classes)
        self.last = (slice(None), -1) if batch_first else -1

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.recurrent(x)
        return self.output(states[self.last])


class _Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).mean(2)


def _convolutional(case: Layered) -> nn.Sequential:
    """Convolutions with padding `same`, pools of size 2, a global mean, dense layers; ReLU behind what has weights."""
    sides = len(case.shape) - 1
    convolution = (nn.Conv1d, nn.Conv2d)[sides - 1]
    pool = (nn.MaxPool1d, nn.MaxPool2d)[sides - 1]
    size, channels = case.shape[0] if sides == 1 else case.shape[0] * case.shape[1], case.shape[-1]
    parts: list[nn.Module] = []
    for layer in case.layers:
        kind, value = next(iter(layer.items())) if isinstance(layer, dict) else (layer, None)
        if kind == "convolution":
            parts += [convolution(channels, value["filters"], value["kernel"], padding="same"), nn.ReLU(inplace=True)]
            channels = value["filters"]
        elif kind == "max_pool":
            parts.append(pool(value))
            size //= value**sides
        elif kind == "global_average_pool":
            parts.append(_Mean())
            size = 1
        elif kind == "flatten":
            parts.append(nn.Flatten())
            channels, size = channels * size, 1
        else:
            parts += [nn.Linear(channels, value), nn.ReLU(inplace=True)]
            channels = value
    return nn.Sequential(*parts, nn.Linear(channels, case.classes))
