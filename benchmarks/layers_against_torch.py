"""Every convolution, pooling and recurrent layer against PyTorch's own: values and all gradients.

Prints, for each layer and setting, the largest difference relative to the largest number of its kind, in float64 and float32.

    python -m benchmarks.layers_against_torch
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from hpsearch.engine.arrays import aligned
from hpsearch.engine.layers import KINDS
from hpsearch.engine.layers.kind import Site
from hpsearch.engine.layers.ports import open_port
from hpsearch.engine.layers.unfold import window_of
from hpsearch.spec.layers import LayerSettings

BOUNDS = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 2e-5}
ROWS, BATCH = 2, 5

Arrays = list[np.ndarray]
Reference = Callable[[LayerSettings, Tensor, list[Tensor], np.ndarray | None], Tensor]
"""(layer, inputs (B, ...), parameters of one network as ours, lengths) -> outputs (B, ...)."""


def convolve(layer: LayerSettings, x: Tensor, parameters: list[Tensor], _lengths: np.ndarray | None) -> Tensor:
    """`conv1d` or `conv2d`, padded by hand where PyTorch does not pad."""
    [weight] = parameters
    images = x.dim() == 4
    window = window_of(layer, tuple(x.shape[1:]))
    axes = (window.down, window.right) if images else (window.right,)
    depthwise = layer.kind == "depthwise_convolution"
    groups = x.shape[-1] if depthwise else layer.get("groups", 1)
    taps = [axis.kernel for axis in axes]
    kernel = weight[:-1].reshape(*taps, x.shape[-1] // groups, -1).movedim((-1, -2), (0, 1))
    y = getattr(F, f"conv{len(axes)}d")(
        _padded(x.movedim(-1, 1), axes, 0.0),
        kernel,
        weight[-1],
        stride=[axis.stride for axis in axes],
        dilation=[axis.dilation for axis in axes],
        groups=groups,
    )
    return y.movedim(1, -1)


def pool(layer: LayerSettings, x: Tensor, _parameters: list[Tensor], _lengths: np.ndarray | None) -> Tensor:
    """`max_pool` or `avg_pool`; what is outside of the image does not count."""
    window = window_of(layer, tuple(x.shape[1:]))
    axes = (window.down, window.right) if x.dim() == 4 else (window.right,)
    sizes = {"kernel_size": [axis.kernel for axis in axes], "stride": [axis.stride for axis in axes]}
    x = x.movedim(-1, 1)
    if layer.kind == "max_pool":
        y = getattr(F, f"max_pool{len(axes)}d")(_padded(x, axes, -torch.inf), **sizes)
    else:
        average = getattr(F, f"avg_pool{len(axes)}d")
        y = average(_padded(x, axes, 0.0), **sizes) / average(_padded(torch.ones_like(x), axes, 0.0), **sizes)
    return y.movedim(1, -1)


def recur(layer: LayerSettings, x: Tensor, parameters: list[Tensor], lengths: np.ndarray | None) -> Tensor:
    """`nn.RNN`, `nn.LSTM` or `nn.GRU` with our parameters."""
    kind = {"simple_rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[layer.kind]
    directions = 1 + layer["bidirectional"]
    module = kind(
        x.shape[-1],
        layer["units"],
        num_layers=layer["layers"],
        bidirectional=layer["bidirectional"],
        batch_first=True,
        dtype=x.dtype,
    )
    theirs = _as_torch(layer, parameters)
    names = [name for name, _ in module.named_parameters()]
    states, last = torch.func.functional_call(
        module, dict(zip(names, theirs, strict=True)), (_packed(x, lengths),)
    )
    if layer["states"] == "all":
        return pad_packed_sequence(states, batch_first=True, total_length=x.shape[1])[0] if lengths is not None else states
    last = last[0] if layer.kind == "lstm" else last
    return torch.cat(list(last[-directions:]), dim=1)


def _packed(x: Tensor, lengths: np.ndarray | None) -> Any:
    if lengths is None:
        return x
    return pack_padded_sequence(x, torch.from_numpy(lengths.astype(np.int64)), batch_first=True, enforce_sorted=False)


def _as_torch(layer: LayerSettings, parameters: list[Tensor]) -> Iterator[Tensor]:
    """Our arrays as `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` of each level and direction."""
    count = 3 if layer.kind == "gru" else 2
    inputs, states = {
        "simple_rnn": ([0], [0]),
        "lstm": ([1, 2, 0, 3], [1, 2, 0, 3]),
        "gru": ([0, 1, 2], [1, 2, 0]),
    }[layer.kind]
    for start in range(0, len(parameters), count):
        weight, recurrent, *bias = parameters[start : start + count]
        weight = _reordered(weight, inputs)
        recurrent = _reordered(recurrent, states)
        yield weight[:-1].T
        yield recurrent.T
        yield weight[-1]
        zeros = torch.zeros_like(weight[-1])
        yield torch.cat([zeros[: -bias[0].shape[1]], bias[0][0]]) if bias else zeros


def _reordered(weight: Tensor, blocks: list[int]) -> Tensor:
    parts = weight.chunk(len(blocks), dim=1)
    return torch.cat([parts[block] for block in blocks], dim=1)


def _padded(x: Tensor, axes: Any, value: float) -> Tensor:
    return F.pad(x, [count for axis in reversed(axes) for count in axis.zeros], value=value)


def ours(layer: LayerSettings, x: np.ndarray, parameters: Arrays, delta: np.ndarray, lengths: np.ndarray | None) -> Arrays:
    """Values, the gradient of the inputs, and those of the parameters, all (K, ...)."""
    gradients = [np.full_like(each, np.nan) for each in parameters]
    behind = open_port(ROWS, BATCH, delta.shape[2:], x)
    site = Site(
        layer=layer,
        before=x.shape[2:],
        behind=behind,
        parameters=tuple(parameters),
        gradients=tuple(gradients),
        lengths=lengths,
    )
    port, built = KINDS[layer.kind].build(site)
    port.values.inner[...] = x
    built.forward()
    values = behind.values.inner.copy()
    behind.gradient.inner[...] = delta
    built.backward()
    return [values, port.gradient.inner, *gradients]


def theirs(
    reference: Reference, layer: LayerSettings, x: np.ndarray, parameters: Arrays, delta: np.ndarray, lengths: np.ndarray | None
) -> Arrays:
    """The same by PyTorch, one network after the other."""
    rows = []
    for row in range(ROWS):
        inputs = torch.from_numpy(x[row]).requires_grad_()
        mine = [torch.from_numpy(each[row].copy()).requires_grad_() for each in parameters]
        y = reference(layer, inputs, mine, None if lengths is None else lengths[row])
        y.backward(torch.from_numpy(delta[row]))
        rows.append([y.detach().numpy(), inputs.grad.numpy(), *(each.grad.numpy() for each in mine)])
    return [np.stack(each) for each in zip(*rows, strict=True)]


def largest_difference(reference: Reference, layer: LayerSettings, shape: tuple[int, ...], dtype: np.dtype, *, ragged: bool) -> float:
    """Over values and gradients: the largest difference by the largest number."""
    rng = np.random.default_rng(0)
    kind = KINDS[layer.kind]
    x = rng.standard_normal((ROWS, BATCH, *shape)).astype(dtype)
    parameters = []
    for trained in kind.arrays(layer, shape):
        inputs, units = trained.weights
        full = aligned((ROWS, inputs + bool(trained.bias), units), dtype)
        full[...] = rng.standard_normal(full.shape) / np.sqrt(max(inputs, 1))
        parameters.append(full)
    delta = rng.standard_normal((ROWS, BATCH, *kind.shape(layer, shape))).astype(dtype)
    lengths = rng.integers(1, shape[0] + 1, (ROWS, BATCH)).astype(np.int32) if ragged else None
    pairs = zip(
        ours(layer, x, parameters, delta, lengths), theirs(reference, layer, x, parameters, delta, lengths), strict=True
    )
    return max(float(np.abs(mine - other).max() / np.abs(other).max()) for mine, other in pairs)


def cases() -> Iterator[tuple[Reference, LayerSettings, tuple[int, ...], bool]]:
    """Layers, the shape of their inputs, and whether sequences differ in length."""
    image, sequence = (14, 13, 6), (20, 6)
    for shape, kernels in ((image, (1, 2, 3, 5, (3, 4))), (sequence, (1, 2, 3, 7))):
        for kernel in kernels:
            for stride, dilation, padding, groups in (
                (1, 1, "same", 1), (1, 1, "valid", 1), (2, 1, "same", 1), (3, 1, "valid", 1),
                (1, 2, "same", 1), (1, 2, "valid", 1), (1, 1, "same", 2), (2, 1, "valid", 3),
            ):  # fmt: skip
                settings = {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding}
                yield convolve, LayerSettings.of("convolution", filters=12, groups=groups, **settings), shape, False
                if groups == 1:
                    yield convolve, LayerSettings.of("depthwise_convolution", **settings), shape, False
        for kind in ("max_pool", "average_pool"):
            for size, stride, padding in ((2, None, "valid"), (3, 2, "valid"), (3, 1, "same"), (2, 2, "same"), (3, 2, "same")):
                yield pool, LayerSettings.of(kind, size=size, stride=stride, padding=padding), shape, False
    for kind in ("simple_rnn", "lstm", "gru"):
        for layers in (1, 2):
            for bidirectional in (False, True):
                for states in ("last", "all"):
                    for ragged in (False, True):
                        settings = {"layers": layers, "bidirectional": bidirectional, "states": states}
                        yield recur, LayerSettings.of(kind, units=16, **settings), sequence, ragged


def main() -> int:
    """Print the table; fails when a difference is larger than rounding explains."""
    torch.set_num_threads(1)
    failed = False
    print(f"{'layer':22} {'inputs':12} {'float64':>9} {'float32':>9}  settings")
    for reference, layer, shape, ragged in cases():
        found = [largest_difference(reference, layer, shape, dtype, ragged=ragged) for dtype in BOUNDS]
        failed |= any(not each <= bound for each, bound in zip(found, BOUNDS.values(), strict=True))
        words = ", ".join(f"{name} {value}" for name, value in layer.settings) + (", lengths differ" if ragged else "")
        print(f"{layer.kind:22} {' x '.join(map(str, shape)):12} {found[0]:9.1e} {found[1]:9.1e}  {words}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
