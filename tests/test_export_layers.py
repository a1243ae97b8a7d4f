"""The texts of layered networks for PyTorch and Keras: each trains to the curve of ours, from the same weights."""

import importlib.util
from dataclasses import asdict, replace

import numpy as np
import pytest

from hpsearch import best_params
from hpsearch.data.prepared import EmbeddedColumn, Part, frozen
from hpsearch.engine import Cohort, Member, forward, inputs_of
from hpsearch.engine.expansion import expand
from hpsearch.engine.losses import LOSSES
from hpsearch.errors import InputError
from hpsearch.export.keras_source import keras_source
from hpsearch.export.recipe import Recipe
from hpsearch.export.torch_source import torch_source
from hpsearch.randomness import Address
from hpsearch.spec import parse_study
from tests.support.recipes import PLAIN
from tests.support.studies import run_quick

IMAGES, SEQUENCES, TOKENS, ROWS = (9, 8, 3), (12, 4), (10,), (6,)
VOCABULARY = 17
COLUMN = EmbeddedColumn(name="city", place=1, categories=5)

# Biases in front of batch normalization have gradients of rounding alone, which Adam's division would make large.
NETWORKS = {
    "lenet": (
        IMAGES,
        ("[{convolution: {filters: 6, kernel: 5}}, {max_pool: 2}, {convolution: {filters: 8, padding: valid}}, "
         "{max_pool: {size: 2, stride: 1, padding: same}}, flatten, {dense: 12}]"),
        {"optimizer": "adam", "l2": 1e-2},
        ["nn.Conv2d(3, 6, 5, padding=2)", "nn.MaxPool2d(2)", "nn.ConstantPad2d((0, 1, 0, 1), -torch.inf)"],
    ),
    "sequence": (
        SEQUENCES,
        ("[{convolution: {filters: 6, kernel: 4, activation: identity}}, batch_normalization, activation, "
         "{average_pool: {size: 3, padding: same}}, {convolution: {filters: 5, kernel: 3, stride: 2}}, "
         "{average_pool: {size: 2, stride: 1, padding: same}}, flatten]"),
        {"optimizer": "momentum", "l1": 1e-3, "clip_norm": 0.5, "activation": "tanh"},
        ["nn.ZeroPad1d((1, 2))", "nn.BatchNorm1d(6, eps=1e-05, momentum=0.1)", "MeanInside(", "nn.AvgPool1d(3)"],
    ),
    "residual": (
        IMAGES,
        ("[{convolution: 6}, {residual: [{convolution: {filters: 8, stride: 2, activation: identity}}, "
         "batch_normalization, activation, {convolution: {filters: 8, activation: identity}}]}, "
         "{residual: [layer_normalization, {convolution: 8}]}, global_average_pool, {residual: [{dense: 5}]}]"),
        {"optimizer": "momentum", "max_norm": 1.0, "activation": "silu"},
        ["Residual(", "nn.Identity()", "nn.Conv2d(6, 8, 1, stride=2)", "nn.AdaptiveAvgPool2d(1)"],
    ),
    "depthwise and groups": (
        IMAGES,
        ("[{depthwise_convolution: {kernel: [3, 2], dilation: 2}}, "
         "{convolution: {filters: 6, groups: 3, stride: [2, 1]}}, {average_pool: {size: [2, 1]}}, global_max_pool]"),
        {"optimizer": "nesterov", "activation": "gelu", "max_norm": 0.7},
        ["padding=(2, 1), dilation=2, groups=3", "stride=(2, 1), groups=3", "nn.AdaptiveMaxPool2d(1)"],
    ),
    "recurrent": (
        SEQUENCES,
        ("[{gru: {units: 5, layers: 2, bidirectional: true, states: all}}, "
         "{residual: [{simple_rnn: {units: 4, states: all}}]}, {lstm: {units: 4, bidirectional: true}}]"),
        {"optimizer": "adam", "l2": 1e-2, "max_norm": 0.9},
        ["nn.GRU(4, 5, num_layers=2, bidirectional=True, batch_first=True)", "AllStates(", "LastState(", "nn.LSTM("],
    ),
    "tokens": (
        TOKENS,
        "[{embedding: 6}, {convolution: {filters: 5, kernel: 3}}, global_max_pool]",
        {"optimizer": "rmsprop", "l2": 1e-2, "max_norm": 0.5},
        ["nn.Embedding(17, 6, padding_idx=0)", "nn.Conv1d(6, 5, 3, padding=1)", "nn.AdaptiveMaxPool1d(1)"],
    ),
    "normalized": (
        SEQUENCES,
        ("[{dropout: {rate: 0, spatial: true}}, {reshape: [4, 6, 2]}, {convolution: 4}, layer_normalization, "
         "{reshape: [6, 16]}, {lstm: 4}, batch_normalization]"),
        {"optimizer": "adamw", "weight_decay": 0.1, "loss": "mse", "schedule": "cosine"},
        ["nn.LayerNorm(4, eps=1e-05)", "nn.Unflatten(1, (4, 6, 2))", "BatchNorm(4,"],
    ),
    "columns": (
        ROWS,
        "[{dense: {units: 8, activation: identity}}, batch_normalization, activation]",
        {"optimizer": "momentum", "l2": 1e-2, "max_norm": 0.8},
        ["Columns()", "nn.Embedding(6, 4)", "class BatchNorm(", "BatchNorm(8,"],
    ),
}  # fmt: skip


def _recipe(name, layers=None, rows=24, **changes):
    """A network's recipe, what it is trained on, and the part of it that others write."""
    shape, written, settings, _ = NETWORKS[name]
    model = f"{{layers: {layers or written}, initializer: xavier}}"
    settings = {
        "epochs": 6,
        "batch_size": 24,
        "learning_rate": 0.01,
        "activation": "relu",
        **settings,
        **changes,
    }
    space = f"{{activation: {settings['activation']}}}"
    spec = parse_study(f"study: it\ndata: {{source: sklearn/digits}}\nmodel: {model}\nspace: {space}")
    listed = spec.resolve({}, default_loss="cross_entropy").layers
    h = replace(PLAIN, **settings, layers=listed, hidden=())
    rng = np.random.default_rng(0)
    tokens, embedded = (VOCABULARY, ()) if shape == TOKENS else (None, (COLUMN,) if shape == ROWS else ())
    x = rng.standard_normal((rows, *shape)).astype(np.float32)
    if tokens:
        x = rng.integers(0, VOCABULARY, x.shape).astype(np.int32)
    if embedded:
        x[:, COLUMN.place] = rng.integers(0, COLUMN.categories + 1, rows)
    y = rng.integers(0, 3, rows).astype(np.int32)
    y = y if h.loss == "cross_entropy" else rng.standard_normal((rows, 3)).astype(np.float32)
    inputs = inputs_of(Part(x=x, y=y), tokens, embedded)
    network = {
        "inputs": asdict(inputs),
        "outputs": 3,
        "layers": [layer.to_json() for layer in expand(h, inputs, 3)],
    }
    stored = {key: value for key, value in asdict(h).items() if key not in ("hidden", "layers")}
    return Recipe.of_trial("it", stored, network), h, Part(x=x, y=y), tokens, embedded


@pytest.mark.parametrize("name", NETWORKS)
def test_the_text_names_the_layers_of_pytorch(name):
    """It is Python, and says what PyTorch's users would."""
    recipe, *_ = _recipe(name)
    compile(keras_source(recipe), name, "exec")
    source = torch_source(recipe)
    compile(source, name, "exec")
    assert [part for part in NETWORKS[name][3] if part not in source] == []


def test_dropout_is_of_whole_channels_and_unknown_tokens():
    """As often as here, in 256ths; tokens become unknown ones."""
    layers = NETWORKS["tokens"][1].replace("}, {conv", "}, {dropout: {rate: 0.3, spatial: true}}, {conv")
    source = torch_source(_recipe("tokens", layers, input_dropout=0.1)[0])
    assert "DropTokens(0.1015625)," in source
    assert "ChannelsFirst(),\n        nn.Dropout1d(0.30078125)," in source


def test_a_study_of_layers_is_written_with_its_dropout(tmp_path):
    """And says that rows were augmented, which the text does not do."""
    layers = "[{reshape: [4, 1]}, {convolution: 4}, {dropout: $drop}, global_average_pool]"
    lines = ["study: layered", "data: {source: sklearn/iris}", f"model: {{layers: {layers}}}"]
    lines += ["space: {drop: [0.25], epochs: 1}", "budget: {trials: 1}"]
    run_quick(tmp_path, "\n".join(lines))
    best = best_params("layered", store=tmp_path)
    source = best.to_torch()
    compile(source, "torch", "exec")
    assert "nn.Dropout(0.25)," in source
    recipe, *_ = _recipe("lenet")
    augmented = replace(
        recipe, settings={**recipe.settings, "augment.shift": 2.0, "initialize_from": "digits"}
    )
    assert "Not written here: augmentation of rows (shift 2.0); initial weights from digits." in torch_source(
        augmented
    )


def test_what_is_not_written_is_refused_with_the_reason():
    """What Keras lacks, and sequences that differ in length."""
    recipe, *_ = _recipe("sequence", "[{convolution: {filters: 4, stride: 2, dilation: 2}}, flatten]")
    with pytest.raises(InputError, match="no convolution with a stride and a dilation"):
        keras_source(recipe)
    with pytest.raises(InputError, match="clips the gradient by another norm: its GRU has two biases"):
        keras_source(_recipe("recurrent", clip_norm=1.0)[0])
    network = {"inputs": {"shape": [10], "tokens": 17, "ragged": True, "embedded": []}}
    with pytest.raises(InputError, match="these sequences differ in length"):
        Recipe.of_trial("it", recipe.settings, network)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize(
    ("name", "rows"),
    [*((name, 24) for name in NETWORKS), pytest.param("columns", 1, id="a batch of one row")],
)
def test_pytorch_trains_to_the_same_curve(name, rows):
    """From the same weights, in batches of all rows: loss by loss."""
    import torch

    module, start, part, ours = _written(name, torch_source, rows=rows)
    network = module["build"]()
    _begin_alike(network, start)
    targets = torch.tensor(part.y.astype(np.int64) if part.y.ndim == 1 else part.y)
    assert module["train"](network, torch.tensor(part.x), targets) == pytest.approx(ours, rel=2e-5)


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")
@pytest.mark.parametrize("name", NETWORKS)
def test_keras_trains_to_the_same_curve(name):
    """Likewise; its optimizers have epsilon elsewhere."""
    changes = {"clip_norm": None} if name == "sequence" else {}
    module, start, part, ours = _written(name, keras_source, **changes)
    network = module["build"]()
    network.set_weights(list(_as_keras(network, start)))
    targets = np.eye(3, dtype=np.float32)[part.y] if part.y.ndim == 1 else part.y
    assert module["train"](network, part.x, targets) == pytest.approx(ours, rel=2e-3)


def _written(name, source, **changes):
    """A network's source, run; its initial weights, the data, and our own curve of losses."""
    recipe, h, part, tokens, embedded = _recipe(name, **changes)
    data = frozen(part.x, part.y.copy())
    cohort = Cohort([Member(h, Address(seed=1))], data, outputs=3, tokens=tokens, embedded=embedded)
    start, ours = cohort.weights(0), []
    start = replace(start, parameters=start.parameters.copy())
    for _ in range(h.epochs):
        cohort.train_epoch()
        outputs = forward(cohort.weights(0), part.x)[None]
        ours.append(float(LOSSES[h.loss].samples(outputs, part.y, np.array([h.huber_delta])).mean()))
    module = {}
    exec(source(recipe), module)
    return module, start, part, ours


def _begin_alike(network, weights):
    """Give a network of PyTorch's our weights, layer by layer in the order of both."""
    import torch
    from torch import nn

    arrays = iter([torch.tensor(block.view(weights.parameters)) for block in weights.plan.layout.blocks])
    for layer in network.modules():
        match layer:
            case nn.Linear():
                array = next(arrays)
                layer.weight.data, layer.bias.data = array[:-1].T.contiguous(), array[-1]
            case nn.Conv1d() | nn.Conv2d():
                array = next(arrays)
                kernel = array[:-1].reshape(*layer.kernel_size, -1, layer.out_channels)
                layer.weight.data, layer.bias.data = kernel.movedim((-1, -2), (0, 1)).contiguous(), array[-1]
            case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.LayerNorm():
                layer.weight.data, layer.bias.data = next(arrays)[0], next(arrays)[0]
            case nn.Embedding():
                layer.weight.data = next(arrays)
            case nn.RNN() | nn.LSTM() | nn.GRU():
                for theirs in layer.all_weights:
                    _recurrence(layer.mode, arrays, theirs)
    assert next(arrays, None) is None


def _recurrence(mode, arrays, theirs):
    """Our gates stand in another order."""
    import torch

    inputs, states, bias, other = theirs
    order, recurrent_order = {
        "LSTM": ([1, 2, 0, 3], [1, 2, 0, 3]),
        "GRU": ([0, 1, 2], [1, 2, 0]),
    }.get(mode, ([0], [0]))
    pairs = [(next(arrays), gates) for gates in (order, recurrent_order)]
    array, recurrent = (
        torch.cat([array.chunk(len(gates), dim=1)[gate] for gate in gates], dim=1) for array, gates in pairs
    )
    inputs.data, bias.data, states.data = array[:-1].T.contiguous(), array[-1], recurrent.T.contiguous()
    if mode == "GRU":
        other.data[-recurrent.shape[0] :] = next(arrays)[0]


GATES = {"LSTM": ([1, 2, 0, 3], [1, 2, 0, 3]), "GRU": ([1, 0, 2], [2, 1, 0])}


def _as_keras(network, weights):
    """Our weights in the order and the shapes of a network of Keras'."""
    arrays = iter([block.view(weights.parameters) for block in weights.plan.layout.blocks])
    for layer in _leaves(network):
        kind, shapes = type(layer).__name__, [variable.shape for variable in layer.weights]
        if kind in ("SimpleRNN", "LSTM", "GRU"):
            order, recurrent_order = GATES.get(kind, ([0], [0]))
            array, recurrent = (_reordered(next(arrays), gates) for gates in (order, recurrent_order))
            yield from (array[:-1], recurrent)
            if kind == "GRU":
                own = next(arrays)[0]
                yield np.stack([array[-1], np.concatenate([np.zeros(2 * len(own), np.float32), own])])
            else:
                yield array[-1]
        elif kind == "Embedding":
            yield next(arrays)
        elif "Normalization" in kind:
            yield from (next(arrays)[0], next(arrays)[0])
            yield from [np.zeros(shapes[0], np.float32), np.ones(shapes[0], np.float32)][: len(shapes) - 2]
        elif shapes:
            array = next(arrays)
            yield from (array[:-1].reshape(shapes[0]), array[-1])


def _leaves(layer):
    """The layers that have weights, in the order of these."""
    inner = getattr(layer, "layers", None) or [
        each for name in ("forward_layer", "backward_layer") if (each := getattr(layer, name, None))
    ]
    if not inner:
        return [layer]
    return [leaf for each in inner for leaf in _leaves(each)]


def _reordered(array, gates):
    return np.concatenate([np.split(array, len(gates), axis=1)[gate] for gate in gates], axis=1)
