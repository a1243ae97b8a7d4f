"""Study files made by hypothesis: valid ones as plain values, and values that a rule forbids."""

import math

from hypothesis import strategies as st

from hpsearch.spec.conduct import PRUNING_RULES
from hpsearch.spec.model import METRICS
from hpsearch.spec.registry import REGISTRY
from hpsearch.spec.samplers import METHODS
from hpsearch.spec.sources import BUNDLED

SMALLEST = {"study": "s", "data": {"source": "sklearn/iris"}}
SEARCHABLE = [name for name in REGISTRY if name not in ("hidden", "kind", "depth", "width", "loss")]


def allowed(rule):
    """Values that a rule allows (not null)."""
    if rule.kind == "choice":
        return st.sampled_from(rule.choices)
    if rule.kind == "boolean":
        return st.booleans()
    if rule.kind == "integer":
        return st.integers(int(rule.minimum), min(int(rule.maximum), 10_000))
    if rule.kind == "number":
        low = rule.minimum if rule.minimum is not None else rule.above
        high = rule.maximum if rule.maximum is not None else rule.below
        return st.floats(
            low,
            high,
            exclude_min=rule.minimum is None,
            exclude_max=rule.maximum is None,
            allow_subnormal=False,
        )
    return st.sampled_from(["linear", "1", "64-32", "10000-1"])


def forbidden(rule):
    """Values that a rule forbids, from its own bounds."""
    bad = [[[1, "x"]], {"a": 1}, "no such thing"]
    if not rule.nullable:
        bad.append(None)
    if rule.kind != "boolean":
        bad.append(True)
    if rule.kind in ("integer", "number"):
        bad += [math.nan, math.inf, -math.inf]
        bad += [bound for bound in (rule.above, rule.below) if bound is not None]
        bad += [rule.minimum - 1] if rule.minimum is not None else []
        bad += [rule.maximum + 1] if rule.maximum is not None else []
    if rule.kind == "integer":
        bad += [rule.minimum + 0.5]
    if rule.kind == "choice":
        bad += [1, "", rule.choices[0].upper() + " "]
    return st.sampled_from(bad)


@st.composite
def parameters(draw, rule):
    """A parameter in any of its forms, without conditions."""
    values = allowed(rule)
    forms = ["bare", "list", "value", "values"]
    if rule.kind in ("integer", "number"):
        forms.append("range")
    form = draw(st.sampled_from(forms))
    if form == "range":
        low, high = sorted(draw(st.lists(values, min_size=2, max_size=2, unique=True)))
        return {"min": low, "max": high, "log": low > 0 and draw(st.booleans())}
    if form == "bare":
        return draw(values)
    if form == "value":
        return {"value": draw(values)}
    several = draw(st.lists(values, min_size=1, max_size=4, unique=True))
    return several if form == "list" else {"values": several}


@st.composite
def spaces(draw):
    """A space of some hyperparameters; some are there only if the optimizer is one of its values."""
    names = draw(st.lists(st.sampled_from(SEARCHABLE), unique=True, max_size=8))
    space = {name: draw(parameters(REGISTRY[name].rule)) for name in names}
    if isinstance(space.get("optimizer"), list):
        for name in names:
            if isinstance(space[name], dict) and draw(st.booleans()):
                space[name]["when"] = {"optimizer": draw(st.sampled_from(space["optimizer"]))}
    return space


@st.composite
def objectives(draw):
    """One objective or several, and what goes with them."""
    count = draw(st.integers(1, 3))
    metrics = draw(st.lists(st.sampled_from(METRICS), min_size=count, max_size=count, unique=True))
    several = [
        {
            "metric": metric,
            "direction": draw(st.sampled_from(["minimize", "maximize"])),
            "value": draw(st.sampled_from(["best", "last"])),
        }
        for metric in metrics
    ]
    if count == 1:
        pruning = draw(st.sampled_from([*PRUNING_RULES, None, {"rule": "percentile", "percentile": 10}]))
        return {"objective": several[0], "pruning": pruning}
    return {"objectives": several}


@st.composite
def samplers(draw):
    """A sampler with some of its options."""
    name = draw(st.sampled_from(["tpe", "random", "qmc", "nsga2"]))
    options = METHODS[name].options
    chosen = draw(st.lists(st.sampled_from(sorted(options)), unique=True)) if options else []
    sampler = {"name": name, **{key: draw(allowed(options[key].rule)) for key in chosen}}
    return draw(st.sampled_from([name, sampler]))


@st.composite
def studies(draw):
    """A whole valid study, as plain values."""
    study = {
        "study": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True)),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "data": draw(_data()),
        "early_stopping": draw(
            st.sampled_from([None, False, "none", {"patience": 3}, {"restore_best": False}])
        ),
        "budget": draw(
            st.fixed_dictionaries(
                {"trials": st.integers(1, 1000)},
                optional={
                    "time": st.sampled_from([None, "90s", "1h30m", "2h", 1.5, 60]),
                    "in_flight": st.sampled_from([None, "auto", 4]),
                },
            )
        ),
        "tracking": {"uri": draw(st.sampled_from([None, "http://localhost:5000", "1e-4", "no"]))},
        "sampler": draw(samplers()),
        **draw(objectives()),
    }
    space = draw(spaces())
    study["model"], layers = draw(_layers())
    if draw(st.booleans()):
        study["space"] = space | layers
    elif layers:
        study["space"] = layers
    for key in ("activation", "initializer"):
        if key not in study.get("space", {}) and draw(st.booleans()):
            study["model"][key] = draw(allowed(REGISTRY[key].rule))
    return study


@st.composite
def _data(draw):
    names = st.text(min_size=1, max_size=8).filter(lambda text: text.strip() and text.isprintable())
    if draw(st.booleans()):
        return {"source": f"sklearn/{draw(st.sampled_from(BUNDLED))}"}
    columns = draw(st.lists(names, min_size=2, max_size=4, unique=True))
    return {
        "source": draw(st.sampled_from(["a.csv", "data/b.tsv", "/x/y z.parquet"])),
        "target": draw(st.sampled_from([columns[0], columns[:1]])),
        "drop": columns[1:],
        "split": draw(_split()),
        "preprocess": {"numeric": draw(st.sampled_from(["standardize", "min_max", "none"]))},
    }


def _split():
    share = st.floats(0.1, 0.4)
    holdout = st.fixed_dictionaries(
        {"validation": share | st.just("v.csv"), "test": share | st.just("t.parquet")},
        optional={"seeds": st.integers(1, 3), "group": st.just("who")},
    )
    folds = st.fixed_dictionaries({"folds": st.integers(2, 10)}, optional={"repeats": st.integers(1, 3)})
    ordered = st.sampled_from([{"time": "day"}, {"shuffle": False}, {"column": "part"}, {"rows": "r.json"}])
    return holdout | folds | ordered


def _layers():
    """A model's layers, and what its space must have for them."""
    return st.sampled_from(
        [
            ({}, {}),
            ({"hidden": []}, {}),
            ({"hidden": [64, "$w"]}, {"w": [16, 32]}),
            ({"hidden": ["$width", "$width"]}, {"width": {"min": 4, "max": 64, "step": 4}}),
            ({"hidden": "$layers"}, {"layers": [[64], [64, 64], []]}),
            ({}, {"hidden": [[8], [4, 4]]}),
            ({"depth": 3}, {}),
            ({"depth": "$n", "width": 8}, {"n": {"min": 1, "max": 3}}),
            ({}, {"depth": [1, 2], "width": {"min": 8, "max": 64, "log": True}}),
        ]
    ).map(lambda pair: (dict(pair[0]), dict(pair[1])))
