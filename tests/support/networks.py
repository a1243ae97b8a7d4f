"""Small networks of any layers, on their own, for tests."""

from typing import Any

import numpy as np

from hpsearch.engine import Buffers, Inputs, Network, Plan, stored_plan
from hpsearch.engine.dropout import Mask
from hpsearch.engine.network import mask_widths
from hpsearch.spec.layers import LayerSettings
from tests.support.gradients import check_gradient

of = LayerSettings.of


def settings(kind: str, **changes: Any) -> LayerSettings:
    """A layer as the engine computes it, with the table's defaults."""
    from hpsearch.spec.layer_table import LAYERS, NEEDED

    known = {
        name: {"initializer": "", "rate": 0.0}.get(name, setting.default)
        for name, setting in LAYERS[kind].settings.items()
        if name != "activation" and (setting.default is not NEEDED or setting.of_model)
    }
    return of(kind, **{**known, **changes})


def network_of(
    layers: list[LayerSettings],
    inputs: Inputs,
    *,
    outputs: int = 2,
    rows: int = 2,
    batch: int = 3,
    dtype: Any = np.float64,
    masked: bool = False,
    seed: int = 0,
) -> tuple[Plan, Buffers, Network]:
    """A network of some layers and the output layer, with random parameters."""
    output = (LayerSettings("flatten"), of("dense", units=outputs, initializer=""))
    plan = stored_plan((*layers, *output), inputs, outputs, np.dtype(dtype))
    rng = np.random.default_rng(seed)
    parameters = (rng.standard_normal((rows, plan.layout.size)) * 0.6).astype(dtype)
    state = np.empty((rows, plan.state_size), dtype)
    state[:] = [number for each in plan.remembered for number in each.initial]
    masks = None
    if masked:
        masks = [
            Mask(rng.integers(0, 2, (rows, batch, width)).astype(bool), np.full((rows, 1, 1), 2.0, dtype))
            for width in mask_widths(plan)
        ]
    buffers = Buffers(parameters=parameters, gradients=np.zeros_like(parameters), state=state, masks=masks)
    return plan, buffers, Network(plan, buffers, batch=batch)


def check_network(
    layers: list[LayerSettings],
    inputs: Inputs,
    *,
    lengths: Any = None,
    masked: bool = False,
    rows: int = 2,
    batch: int = 3,
    seed: int = 0,
) -> None:
    """Assert that every parameter's gradient is the derivative of a weighted sum of the outputs."""
    plan, buffers, network = network_of(layers, inputs, masked=masked, rows=rows, batch=batch, seed=seed)
    rng = np.random.default_rng(seed + 1)
    if inputs.tokens is None:
        x = rng.standard_normal((rows, batch, *inputs.shape))
    else:
        x = rng.integers(0, inputs.tokens, (rows, batch, *inputs.shape)).astype(np.int32)
    for column in inputs.embedded:
        x[..., column.place] = rng.integers(0, column.categories + 1, (rows, batch))
    if plan.flat:
        x = np.concatenate([x.reshape(rows, batch, -1), np.ones((rows, batch, 1))], axis=2)
    weights = rng.standard_normal(network.outputs.shape)

    def value() -> float:
        return float((network.forward(x, lengths) * weights).sum())

    value()
    network.delta[:] = weights
    network.backward()
    found = buffers.gradients.copy()
    used = np.zeros(plan.layout.size, bool)
    for block in plan.layout.blocks:
        used[block.start : block.biases.stop] = True
    for row in range(rows):
        flat = buffers.parameters[row]
        for block in plan.layout.blocks:
            part = slice(block.start, block.biases.stop)
            frozen = block.trained.weights[1] if block.trained.padded else 0
            check_gradient(value, flat[part][frozen:], found[row, part][frozen:], 1e-6)
            assert not found[row, part][:frozen].any()
    assert not found[:, ~used].any()
