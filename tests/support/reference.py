"""A naive trainer of one network, in float64, written from the textbook equations and PyTorch's manual.

It shares no code with the engine but the addresses of randomness; its loops go over layers, the samples of
a batch stand in plain matrices, and nothing is done in place.
"""

import math
from itertools import pairwise

import numpy as np

from hpsearch.data.prepared import Part
from hpsearch.engine import Member


def train(
    member: Member, part: Part, outputs: int, epochs: int, monitored: list[float] | None = None
) -> list:
    """The (weight, bias) pairs of each layer after some epochs; a plateau schedule sees `monitored`."""
    h, address = member.hyperparameters, member.address
    x, n = part.x.astype(np.float64), len(part.x)
    batch = min(h.batch_size, n)
    draw = address.stream("initial")
    sizes = [x.shape[1], *h.hidden, outputs]
    layers = [[draw.standard_normal((d, k)) * _spread(h, d, k), np.zeros(k)] for d, k in pairwise(sizes)]
    shuffle, order = address.stream("order"), np.arange(n)
    dropout = address.stream("dropout")
    input_dropout = dropout.spawn(1)[0]
    state = [[{}, {}] for _ in layers]
    t, plateau = 0, _Plateau(h)
    steps = math.ceil(n / batch)
    for epoch in range(epochs):
        shuffle.shuffle(order)
        for start in range(0, n, batch):
            chosen = order[start : start + batch]
            t += 1
            masks = _masks(dropout, h.dropout, batch, [k + 1 for k in h.hidden])
            masks = [m[: len(chosen), :-1] for m in masks]
            (input_mask,) = _masks(input_dropout, h.input_dropout, batch, [x.shape[1]])
            gradients = _gradients(h, layers, x[chosen] * input_mask[: len(chosen)], part.y[chosen], masks)
            _penalize_and_clip(h, layers, gradients)
            rate = _rate(h, epoch, t, steps, plateau.factor)
            for layer, gradient, memory in zip(layers, gradients, state, strict=True):
                for i in range(2):
                    if h.optimizer == "adamw" and i == 0:
                        layer[i] = layer[i] - rate * h.weight_decay * layer[i]
                    layer[i] = layer[i] + _update(h, gradient[i], memory[i], rate, t)
                if h.max_norm is not None:
                    norms = np.linalg.norm(layer[0], axis=0)
                    layer[0] = layer[0] * np.minimum(1, h.max_norm / np.where(norms > 0, norms, 1))
        if monitored is not None:
            plateau.observe(monitored[epoch])
    return [tuple(layer) for layer in layers]


def _spread(h, d, k):
    return {
        "zeros": 0.0,
        "normal": h.initial_scale,
        "xavier": math.sqrt(2 / (d + k)),
        "he": math.sqrt(2 / d),
        "lecun": math.sqrt(1 / d),
    }[h.initializer]


def _masks(generator, rate, batch, widths):
    """A step's masks: a byte a unit, frames one after the other, each padded to 64 bytes."""
    lengths = [math.ceil(batch * width / 64) * 64 for width in widths]
    level = min(round(rate * 256), 255)
    if level == 0:
        return [np.ones((batch, width)) for width in widths]
    drawn = generator.bit_generator.random_raw(sum(lengths) // 8).view(np.uint8)
    masks, start = [], 0
    for length, width in zip(lengths, widths, strict=True):
        bits = drawn[start : start + batch * width].reshape(batch, width)
        masks.append((bits >= level) / (1 - level / 256))
        start += length
    return masks


def _activation(name, z):
    s = 1 / (1 + np.exp(-z))
    u = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)
    du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)
    return {
        "identity": (z, np.ones_like(z)),
        "relu": (np.where(z > 0, z, 0), np.where(z > 0, 1.0, 0.0)),
        "leaky_relu": (np.where(z > 0, z, 0.01 * z), np.where(z > 0, 1.0, 0.01)),
        "sigmoid": (s, s * (1 - s)),
        "tanh": (np.tanh(z), 1 - np.tanh(z) ** 2),
        "gelu": (0.5 * z * (1 + np.tanh(u)), 0.5 * (1 + np.tanh(u)) + 0.5 * z * (1 - np.tanh(u) ** 2) * du),
        "silu": (z * s, s + z * s * (1 - s)),
    }[name]


def _output_gradient(h, o, y):
    b = len(o)
    if h.loss == "cross_entropy":
        p = np.exp(o) / np.exp(o).sum(axis=1, keepdims=True)
        q = np.eye(o.shape[1])[y] * (1 - h.label_smoothing) + h.label_smoothing / o.shape[1]
        return (p - q) / b
    if h.loss == "binary_cross_entropy":
        q = y[:, None] * (1 - h.label_smoothing) + h.label_smoothing / 2
        return (1 / (1 + np.exp(-o)) - q) / b
    e = o - y.reshape(o.shape).astype(np.float64)
    if h.loss == "mse":
        return 2 * e / e.size
    if h.loss == "mae":
        return np.sign(e) / e.size
    return np.where(np.abs(e) <= h.huber_delta, e, h.huber_delta * np.sign(e)) / e.size


def _gradients(h, layers, x, y, masks):
    inputs, slopes = [x], []
    for (w, b), mask in zip(layers[:-1], masks, strict=True):
        value, slope = _activation(h.activation, inputs[-1] @ w + b)
        inputs.append(value * mask)
        slopes.append(slope * mask)
    w, b = layers[-1]
    delta = _output_gradient(h, inputs[-1] @ w + b, y)
    gradients = []
    for depth in reversed(range(len(layers))):
        gradients.insert(0, [inputs[depth].T @ delta, delta.sum(axis=0)])
        if depth:
            delta = (delta @ layers[depth][0].T) * slopes[depth - 1]
    return gradients


def _penalize_and_clip(h, layers, gradients):
    for (w, _), gradient in zip(layers, gradients, strict=True):
        gradient[0] = gradient[0] + h.l1 * np.sign(w) + h.l2 * w
    if h.clip_norm is not None:
        norm = math.sqrt(sum((g**2).sum() for pair in gradients for g in pair))
        for pair in gradients:
            pair[:] = [g * min(1.0, h.clip_norm / (norm + 1e-6)) for g in pair]


def _rate(h, epoch, t, steps, plateau):
    rate = h.learning_rate
    if h.schedule == "step":
        rate *= h.decay_rate ** (epoch // h.decay_epochs)
    elif h.schedule == "exponential":
        rate *= h.decay_rate ** (epoch / h.decay_epochs)
    elif h.schedule == "cosine":
        rate = (
            h.min_learning_rate
            + (rate - h.min_learning_rate) * (1 + math.cos(math.pi * epoch / h.epochs)) / 2
        )
    elif h.schedule == "plateau":
        rate *= plateau
    rate = max(rate, h.min_learning_rate)
    if h.warmup_epochs:
        rate *= min(1.0, t / (h.warmup_epochs * steps))
    return rate


class _Plateau:
    def __init__(self, h):
        self.h, self.factor, self.best, self.bad = h, 1.0, math.inf, 0

    def observe(self, value):
        if self.best == math.inf or value < self.best * (1 - 1e-4):
            self.best, self.bad = value, 0
        else:
            self.bad += 1
        if self.bad > self.h.plateau_patience:
            self.factor, self.bad = self.factor * self.h.decay_rate, 0


def _update(h, g, memory, rate, t):
    name = h.optimizer
    if name == "sgd":
        return -rate * g
    if name in ("momentum", "nesterov"):
        memory["v"] = h.momentum * memory["v"] + g if "v" in memory else g
        return -rate * (memory["v"] if name == "momentum" else g + h.momentum * memory["v"])
    if name == "adagrad":
        memory["s"] = memory.get("s", 0) + g**2
        return -rate * g / (np.sqrt(memory["s"]) + h.epsilon)
    if name == "rmsprop":
        memory["s"] = h.rho * memory.get("s", 0) + (1 - h.rho) * g**2
        return -rate * g / (np.sqrt(memory["s"]) + h.epsilon)
    memory["m"] = h.beta1 * memory.get("m", 0) + (1 - h.beta1) * g
    memory["v"] = h.beta2 * memory.get("v", 0) + (1 - h.beta2) * g**2
    corrected = memory["m"] / (1 - h.beta1**t)
    return -rate * corrected / (np.sqrt(memory["v"] / (1 - h.beta2**t)) + h.epsilon)
