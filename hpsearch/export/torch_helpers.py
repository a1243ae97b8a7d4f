"""Small modules and functions that the PyTorch text of a layered network brings along, where it needs them."""

from collections.abc import Iterator
from typing import Final

_HELPERS: Final = {
    "drawn": '''\
def drawn(layer, std):
    """The layer with its initial values: normal weights of this spread; biases, and the vector of padding, zero."""
    nn.init.normal_(layer.weight, std=std)
    if isinstance(layer, nn.Embedding):
        nn.init.zeros_(layer.weight[0])
    else:
        nn.init.zeros_(layer.bias)
    return layer
''',
    "recurrent": '''\
def recurrent(layer, stds):
    """The layer with its initial values: weights on states are orthogonal; an LSTM's forget gate starts open.

    PyTorch has two biases a gate. One of them is learned, the other stays zero, but for that of a GRU's candidate.
    """
    size = layer.hidden_size
    with torch.no_grad():
        for (inputs, states, bias, other), std in zip(layer.all_weights, stds):
            nn.init.normal_(inputs, std=std)
            for gate in states.split(size):
                nn.init.orthogonal_(gate)
            nn.init.zeros_(bias)
            nn.init.zeros_(other)
            if layer.mode == "LSTM":
                bias[size : 2 * size] = 1.0
    for _, _, _, other in layer.all_weights:
        if layer.mode == "GRU":
            other.register_hook(lambda gradient: torch.cat([torch.zeros_like(gradient[size:]), gradient[-size:]]))
        else:
            other.requires_grad = False
    return layer
''',
    "ChannelsFirst": '''\
class ChannelsFirst(nn.Module):
    """(N, ..., C) -> (N, C, ...)."""

    def forward(self, x):
        return x.movedim(-1, 1)
''',
    "ChannelsLast": '''\
class ChannelsLast(nn.Module):
    """(N, C, ...) -> (N, ..., C)."""

    def forward(self, x):
        return x.movedim(1, -1)
''',
    "MeanInside": '''\
class MeanInside(nn.Module):
    """The mean under each window of what is not padding."""

    def __init__(self, pad, pool):
        super().__init__()
        self.pad, self.pool = pad, pool

    def forward(self, x):
        return self.pool(self.pad(x)) / self.pool(self.pad(torch.ones_like(x)))
''',
    "BatchNorm": '''\
class BatchNorm(nn.BatchNorm1d):
    """Takes a batch of one row as well, which PyTorch refuses: its distance from its own mean is zero."""

    def forward(self, x):
        if len(x) > 1 or not self.training:
            return super().forward(x)
        with torch.no_grad():
            self.running_mean.lerp_(x.flatten(), self.momentum)
            self.running_var.mul_(1 - self.momentum)
        return (x - x) * self.weight + self.bias
''',
    "AllStates": '''\
class AllStates(nn.Module):
    """The states of a recurrent layer after each step, (N, T, C)."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]
''',
    "LastState": '''\
class LastState(nn.Module):
    """The state of a recurrent layer after the last step, of both directions if there are two, (N, C)."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        _, last = self.layer(x)
        last = last[0] if isinstance(self.layer, nn.LSTM) else last
        return torch.cat(list(last[-2:] if self.layer.bidirectional else last[-1:]), dim=1)
''',
    "Residual": '''\
class Residual(nn.Module):
    """What goes in is added to what comes out of the block."""

    def __init__(self, block, shortcut):
        super().__init__()
        self.block, self.shortcut = block, shortcut

    def forward(self, x):
        return self.block(x) + self.shortcut(x)
''',
    "DropTokens": '''\
class DropTokens(nn.Module):
    """Makes tokens unknown ones, number 1, while learning; padding, number 0, stays."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training:
            return x
        dropped = (torch.rand(x.shape, device=x.device) < self.rate) & (x > 0)
        return torch.where(dropped, torch.ones_like(x), x)
''',
}
"""By name. A name that is called in a text has its definition in front of it."""


def helpers(lines: list[str]) -> Iterator[str]:
    """The lines of all that some lines call, each definition two lines apart from what follows."""
    called = "\n".join(lines)
    for name, text in _HELPERS.items():
        if f"{name}(" in called:
            yield from text.splitlines()
            yield from ("", "")
