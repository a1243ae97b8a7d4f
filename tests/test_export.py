"""Models and recipes for other programs: ONNX, .npz, PyTorch, Keras."""

import importlib.util
import json
from dataclasses import asdict, replace

import numpy as np
import onnxruntime
import pytest

from hpsearch import best_params, load_model
from hpsearch.data.prepared import EmbeddedColumn
from hpsearch.engine import Cohort, Member
from hpsearch.errors import InputError
from hpsearch.export.archive import write_archive
from hpsearch.export.keras_source import keras_source
from hpsearch.export.onnx_file import write_onnx
from hpsearch.export.recipe import Recipe
from hpsearch.export.torch_source import torch_source
from hpsearch.model import TrainedModel
from hpsearch.randomness import Address
from tests.support.recipes import PLAIN
from tests.support.studies import cli_here, run_quick, write_houses

SPACE = "space: {epochs: 3, learning_rate: 0.01}\nbudget: {trials: 1}\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Studies of numbers, of texts, and of a target on a log scale."""
    directory = tmp_path_factory.mktemp("export")
    write_houses(directory / "houses.csv")
    run_quick(directory, budget__trials=2)
    model = "model: {hidden: [8, 4], activation: gelu}\n"
    run_quick(directory, f"study: diabetes\ndata: {{source: sklearn/diabetes}}\n{model}{SPACE}")
    houses = "data: {source: houses.csv, target: price, preprocess: {target: log}}\n"
    run_quick(directory, f"study: houses\n{houses}{model}{SPACE}", base=directory)
    towns = "data: {source: houses.csv, target: price, preprocess: {categorical: embedding}}\n"
    run_quick(directory, f"study: towns\n{towns}{model}{SPACE}", base=directory)
    return directory


@pytest.mark.parametrize(
    ("study", "takes", "outputs"),
    [
        ("quick", "inputs", ("probabilities", "class")),
        ("diabetes", "inputs", ("prediction",)),
        ("houses", "features", ("prediction",)),
        ("towns", "features", ("prediction",)),
    ],
)
def test_onnxruntime_computes_the_same(store, tmp_path, study, takes, outputs):
    """To 1e-5, on raw numbers where ONNX can say the preprocessing."""
    written = write_onnx(load_model(study, store=store), tmp_path / "model.onnx")
    assert (written.takes, written.outputs) == (takes, outputs)
    assert written.deviation < 1e-5


def test_raw_rows_give_the_models_own_predictions(store, tmp_path):
    """With gaps filled as the model fills them."""
    model = load_model("quick", store=store)
    write_onnx(model, tmp_path / "model.onnx")
    rows = np.array([[5.1, 3.5, 1.4, 0.2], [6.2, np.nan, 4.3, 1.3]])
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    chances, classes = session.run(None, {"inputs": rows})
    assert chances == pytest.approx(model.predict_proba(rows), abs=1e-5)
    labels = session.get_modelmeta().custom_metadata_map["classes"].split(",")
    assert [labels[i] for i in classes] == list(map(str, model.predict(rows)))


@pytest.mark.parametrize("activation", ["identity", "relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu"])
def test_every_activation_is_the_same_in_onnx(store, tmp_path, activation):
    """On a network of given weights."""
    from hpsearch.engine import Weights

    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(4, 6)), rng.normal(size=6)), (rng.normal(size=(6, 3)), rng.normal(size=3))]
    layers = [(w.astype(np.float32), b.astype(np.float32)) for w, b in layers]
    model = replace(load_model("quick", store=store), weights=Weights.dense(layers, activation))
    assert write_onnx(model, tmp_path / "model.onnx").deviation < 1e-5


def test_an_archive_is_read_by_numpy_alone(store, tmp_path):
    """All arrays, and the description: enough to make the model again."""
    model = load_model("quick", store=store)
    write_archive(model, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as archive:
        description = str(archive["model.json"])
        arrays = {name: archive[name] for name in archive.files if name != "model.json"}
    assert json.loads(description)["task"]["kind"] == "multiclass"
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "model.json").write_text(description)
    np.savez(tmp_path / "again" / "weights.npz", **arrays)
    rows = np.random.default_rng(0).normal(5, 2, size=(20, 4))
    assert (TrainedModel.load(tmp_path / "again").predict_proba(rows) == model.predict_proba(rows)).all()


def test_the_command_line_writes_all_forms(store, tmp_path):
    """By the file's ending; another one is refused."""
    for name in ("m.onnx", "m.npz", "m.py"):
        done = cli_here("export", "quick", "-o", name, "--store", store, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / name).stat().st_size > 500
    refused = cli_here("export", "quick", "-o", "m.h5", "--store", store, cwd=tmp_path)
    assert (refused.returncode, "must be .onnx, .npz or .py" in refused.stderr) == (2, True)


def test_source_needs_a_study_that_has_ended(store):
    """Before, nobody knows how many inputs there will be."""
    for study in ("quick", "towns"):
        best = best_params(study, store=store)
        compile(best.to_torch(), "torch", "exec")
        compile(best.to_keras(), "keras", "exec")
    with pytest.raises(InputError, match="when the study has come to its end"):
        Recipe.of_trial("it", best.recipe, None)


RECIPES = [
    {"optimizer": "adam", "l2": 1e-2, "hidden": (7,), "label_smoothing": 0.1},
    {"optimizer": "momentum", "schedule": "cosine", "clip_norm": 0.3, "activation": "tanh"},
    {"optimizer": "nesterov", "l1": 1e-3, "warmup_epochs": 2, "activation": "gelu"},
    {"optimizer": "adamw", "weight_decay": 0.1, "max_norm": 0.8, "activation": "silu"},
    {"optimizer": "rmsprop", "schedule": "step", "decay_epochs": 3, "activation": "sigmoid"},
    {"optimizer": "adagrad", "schedule": "exponential", "activation": "leaky_relu", "hidden": (5, 4)},
    {"optimizer": "sgd", "loss": "huber"},
    {"optimizer": "adam", "loss": "mae", "hidden": ()},
    {"optimizer": "adam", "l2": 1e-2, "max_norm": 0.8, "hidden": (6,), "embedded": True},
]
COLUMN = EmbeddedColumn(name="city", place=1, categories=5)


def _written(settings, source):
    """A recipe's source, run; our own curve of losses; and the data and initial weights of both."""
    from hpsearch.data.prepared import frozen

    embedded = (COLUMN,) if settings.get("embedded") else ()
    settings = {name: value for name, value in settings.items() if name != "embedded"}
    h = replace(PLAIN, **{"epochs": 8, "batch_size": 40, "learning_rate": 0.02, **settings})
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype(np.float32)
    classes = h.loss == "cross_entropy"
    y = (x @ rng.normal(size=(3, 3))).argmax(axis=1).astype(np.int32) if classes else x[:, :2] ** 2
    if embedded:
        x[:, COLUMN.place] = rng.integers(0, COLUMN.categories + 1, 40)
    outputs = 3 if classes else 2
    cohort = Cohort([Member(h, Address(seed=1))], frozen(x, y.copy()), outputs=outputs, embedded=embedded)
    start = [(w.copy(), b.copy()) for w, b in cohort.weights(0).layers]
    ours = []
    for _ in range(h.epochs):
        cohort.train_epoch()
        ours.append(_loss(cohort.weights(0), x, y, h))
    settings = {**asdict(h), "hidden": list(h.hidden)}
    recipe = Recipe.of_trial("it", settings, cohort.weights(0).plan.to_json())
    module = {}
    exec(source(recipe), module)
    return module, ours, x, y, start


def _loss(weights, x, y, h):
    from hpsearch.engine import forward
    from hpsearch.engine.losses import LOSSES

    outputs = forward(weights, x)[None]
    return float(LOSSES[h.loss].samples(outputs, y, np.array([h.huber_delta])).mean())


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("settings", RECIPES, ids=lambda each: "-".join(map(str, each.values())))
def test_pytorch_trains_to_the_same_curve(settings):
    """From the same weights, in batches of all rows: loss by loss."""
    import torch

    module, ours, x, y, start = _written(settings, torch_source)
    network = module["build"]()
    linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    if settings.get("embedded"):
        network[0].vectors[0].weight.data = torch.tensor(start.pop(0)[0])
    for layer, (weight, bias) in zip(linear, start, strict=True):
        layer.weight.data = torch.tensor(weight.T.copy())
        layer.bias.data = torch.tensor(bias)
    targets = torch.tensor(y.astype(np.int64) if y.ndim == 1 else y)
    assert module["train"](network, torch.tensor(x), targets) == pytest.approx(ours, rel=2e-5)


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")
@pytest.mark.parametrize("settings", RECIPES, ids=lambda each: "-".join(map(str, each.values())))
def test_keras_trains_to_the_same_curve(settings):
    """Likewise; its optimizers have epsilon elsewhere."""
    module, ours, x, y, start = _written(settings, keras_source)
    network = module["build"]()
    network.set_weights([array for pair in start for array in pair if array.size])
    targets = np.eye(3, dtype=np.float32)[y] if y.ndim == 1 else y
    assert module["train"](network, x, targets) == pytest.approx(ours, rel=2e-3)
