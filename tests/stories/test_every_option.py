"""Every option of data and networks: a small study of each runs by the command line, and its model predicts."""

import numpy as np
import pytest

from hpsearch import load_model
from hpsearch.data import prepare
from hpsearch.spec import load_study
from hpsearch.tracking.tracker import Tracker
from tests.support.options import write_all
from tests.support.studies import cli_here

SCALINGS = ("standardize", "min_max", "robust", "log", "sqrt", "power", "quantile", "none")
KINDS = tuple(f"{{kind: {kind}, depth: 1, width: 4}}" for kind in ("dense", "convolutional", "recurrent"))


def table(more="", *, source="t.csv", target="y", kept=()):
    drop = [name for name in ("y", "y2", "k", "yes", "hard", "who", "part") if name not in (target, *kept)]
    return f"source: {source}, target: {target}, drop: [{', '.join(drop)}]{', ' + more if more else ''}"


IMAGES = "source: images.npz"
RAGGED = "source: ragged.npz, kind: sequence"
SERIES = "source: series.npz, kind: sequence"
LONG = "source: long.csv, target: label"
SALES = "source: sales.csv, target: sold"
TEXTS = "source: texts.csv, target: stars, task: classification"
SOURCES = [
    *(f"source: {form}_{color}/" for form in ("png", "jpg") for color in ("gray", "rgb")),
    "source: sizes/, image: {size: 8}",
    "source: sizes/, image: {size: [6, 9], color: gray}",
    "source: parts/",
    "source: pictures.csv, kind: image, target: label, image: {path: file}, split: {group: who}",
    *(f"source: images{color}.npz" for color in ("", "_rgb")),
    *(f"{IMAGES}, image: {{scale: {scale}}}" for scale in ("min_max", "none")),
    f"{IMAGES}, storage: disk",
    "source: train-images-idx3-ubyte.gz",
    "source: table.npz",
    f"{LONG}, sequence: {{series: id, time: t, values: [u], length: 3}}",
    f"{LONG}, sequence: {{series: id, time: t, values: [u, v]}}, split: {{group: owner}}",
    f"{SALES}, window: {{lags: 5, time: day}}, split: {{folds: 3}}",
    *(f"{SALES}, window: {{lags: 5, horizon: 2, time: day, scale: {scale}}}" for scale in SCALINGS),
    *(f"{SERIES}, sequence: {{scale: {scale}}}" for scale in SCALINGS),
    "source: texts.csv, target: stars, task: regression, text: {column: review, lowercase: false}",
    f"{TEXTS}, text: {{column: review}}, split: {{folds: 3}}",
    *(table(source=f"t.{form}") for form in ("csv", "tsv", "parquet", "feather", "arrow")),
    table(source="semicolons.csv"),
    "source: t.csv, target: y, drop: [y2, k, yes, hard, who, part, c, many, when], storage: disk",
]
NETWORKS = [
    (data, model)
    for data in (
        *(f"source: {name}_TRAIN.ts" for name in ("uni", "multi", "ragged", "both", "target")),
        f"{LONG}, drop: owner, sequence: {{series: id, time: t, values: [u, v]}}",
        *(
            f"{TEXTS}, text: {{column: review, tokens: {each}, length: 12}}"
            for each in ("words", "characters")
        ),
    )
    for model in KINDS
]
PREPARATIONS = [
    *(table(f"preprocess: {{numeric: {scale}}}") for scale in SCALINGS),
    *(table(f"preprocess: {{target: {scale}}}") for scale in SCALINGS),
    *(table(f"preprocess: {{columns: {{b: {{scale: {scale}, missing: 3}}}}}}") for scale in SCALINGS),
    *(table(f"preprocess: {{categorical: {how}}}") for how in ("one_hot", "ordinal", "hashing", "embedding")),
    *(table(f"preprocess: {{columns: {{many: {{{how}}}}}}}") for how in ("encode: hashing", "embedding: 3")),
    *(table(f"preprocess: {{missing: {how}}}") for how in ("median", "mean", "indicator", "0")),
    *(table(f"preprocess: {{dates: {how}}}") for how in ("cyclic", "elapsed", "text")),
    *(table(f"preprocess: {{pca: {how}}}") for how in ("3", "0.9")),
    table(target="[y, y2]", kept=("y", "y2")),
    *(table(target=target) for target in ("k", "yes")),
]
SPLITS = [
    *(
        table(f"split: {{{how}}}")
        for how in (
            "validation: 0.3, test: 0.1",
            "shuffle: false",
            "time: when",
            "time: when, folds: 3",
            "rows: rows.npz, validation: 0.1",
            "rows: rows.json",
            "test: later.csv",
            "test: later.csv, validation: later.csv",
            "folds: 3, repeats: 2",
            "folds: 2, seeds: 2",
        )
    ),
    *(table(f"split: {{group: who{more}}}", kept=("who",)) for more in ("", ", folds: 3")),
    *(table(f"split: {{column: part{more}}}", kept=("part",)) for more in ("", ", folds: 3")),
    *(table(f"split: {{stratify: true{more}}}", target="k") for more in ("", ", folds: 3")),
    table("split: {group: who, stratify: true}", target="k", kept=("who",)),
]
CHANGES = [
    *(
        f"{IMAGES}, augment: {{{step}: $strength}}"
        for step in ("shift", "flip", "rotate", "zoom", "crop", "brightness", "cutout", "noise", "mixup")
    ),
    *(f"{RAGGED}, augment: {{{step}: 0.2}}" for step in ("shift", "scale", "window", "noise")),
    *(table(f"augment: {{{step}: 0.2}}") for step in ("noise", "mixup")),
    table("augment: {noise: 0.2}, preprocess: {categorical: embedding}"),
    *(
        table(how, target="hard")
        for how in (
            "class_weight: balanced",
            "class_weight: {rare: 5}",
            "oversample: true, split: {folds: 2}",
        )
    ),
]
ACTIVATIONS = ("identity", "relu", "sigmoid", "tanh", "leaky_relu", "gelu", "silu")
SLIDING = (
    (
        "{{convolution: {{filters: 4, kernel: 3, padding: {0}}}}}, "
        "{{convolution: {{filters: 4, kernel: 2, stride: 2, padding: {0}}}}}, "
        "{{convolution: {{filters: 4, kernel: 2, dilation: 2, groups: 2}}}}, flatten"
    ),
    "{{depthwise_convolution: {{kernel: 2, padding: {0}, stride: 2}}}}, flatten",
    "{{max_pool: {{size: 3, stride: 2, padding: {0}}}}}, flatten",
    "{{average_pool: {{size: 3, stride: 2, padding: {0}}}}}, flatten",
)
BEHIND_A_CONVOLUTION = (
    "global_max_pool",
    "global_average_pool",
    "{batch_normalization: {momentum: 0.5, epsilon: 1e-3}}",
    "{layer_normalization: {epsilon: 1e-3}}",
    "{dropout: {rate: 0.2, spatial: true}}",
)
LAYERS = [
    *(
        (table(), f"{{dense: {{units: 4, activation: {name}}}}}, {{activation: {name}}}")
        for name in ACTIVATIONS
    ),
    *(
        (table(), f"{{dense: {{units: 4, initializer: {name}}}}}")
        for name in ("zeros", "normal", "xavier", "he", "lecun")
    ),
    *(
        (data, layers.format(padding))
        for data in (IMAGES, RAGGED)
        for padding in ("same", "valid")
        for layers in SLIDING
    ),
    (
        IMAGES,
        "{convolution: {filters: 4, kernel: [2, 3], stride: [1, 2]}}, {max_pool: {size: [2, 1]}}, flatten, {dense: 4}",
    ),
    *(
        (data, f"{{convolution: 4}}, {layer}, flatten")
        for data in (IMAGES, RAGGED)
        for layer in BEHIND_A_CONVOLUTION
    ),
    *(
        (RAGGED, f"{{{kind}: {{units: 3, layers: 2, bidirectional: {both}, states: {states}}}}}, flatten")
        for kind in ("simple_rnn", "gru", "lstm")
        for both in ("true", "false")
        for states in ("last", "all")
    ),
    ("source: table.npz", "{reshape: [4, 1]}, {gru: 3}"),
    (
        IMAGES,
        (
            "{convolution: 4}, {residual: [{convolution: {filters: 6, stride: 2}}, batch_normalization, activation]}, "
            "{residual: {layers: [{convolution: 6}], activation: tanh}}, global_average_pool"
        ),
    ),
    (table(), "{dense: 4}, {residual: [{dense: 6}, {dropout: 0.1}]}"),
    (f"{TEXTS}, text: {{column: review}}", "{embedding: 5}, {convolution: 4}, {lstm: 3}"),
    (
        table("preprocess: {categorical: embedding}"),
        "{dense: 4}, batch_normalization, {residual: [{dense: 4}]}",
    ),
]
STUDIES = [
    *((data, "{hidden: [4]}") for data in (*SOURCES, *PREPARATIONS, *SPLITS, *CHANGES)),
    *NETWORKS,
    *((data, f"{{layers: [{layers}]}}") for data, layers in LAYERS),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    made = tmp_path_factory.mktemp("options")
    write_all(made)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("data", "model"), STUDIES, ids=[f"{data}, {model}" for data, model in STUDIES])
def test_every_option_trains_and_predicts(base, data, model, monkeypatch):
    """One trial of one epoch; where models go in MLflow is told elsewhere, and takes seconds each."""
    monkeypatch.setattr(Tracker, "_spawn", lambda self: None)
    strength = ", strength: {min: 0.1, max: 0.2}" if "$strength" in data else ""
    space = f"space: {{epochs: 1, batch_size: 16{strength}}}"
    study = base / "study.yaml"
    study.write_text(f"study: it\ndata: {{{data}}}\nmodel: {model}\n{space}\nbudget: {{trials: 1}}\n")
    done = cli_here("run", "study.yaml", "--fresh", "--workers", 1, cwd=base)
    assert done.returncode == 0, done.stderr
    rows = prepare(load_study(study).data, seed=0, base=base).raw_example()
    predicted = load_model("it", store=base / "mlruns").predict(rows)
    assert len(predicted) == len(rows) == 5
    assert predicted.dtype.kind not in "fc" or np.isfinite(predicted).all()
