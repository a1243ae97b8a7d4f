"""The reference page of the study file, from the declarations that the reader checks by.

`python -m hpsearch.spec.reference` prints it; it is kept as docs/study-file.md.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hpsearch.spec.conduct import Sampler
from hpsearch.spec.layer_table import LAYERS, NEEDED
from hpsearch.spec.metrics import MetricSpec
from hpsearch.spec.model import Objective
from hpsearch.spec.registry import REGISTRY
from hpsearch.spec.samplers import METHODS
from hpsearch.spec.schema import form_of, section_of
from hpsearch.spec.section import Section
from hpsearch.spec.study import DEFAULT_SPACE, StudySpec
from hpsearch.spec.yaml_text import dump

_INTRODUCTION: Final = """\
# The study file

<!-- made by `python -m hpsearch.spec.reference`: change the declarations in hpsearch/spec, not this page -->

A study is one YAML file. The smallest names the study and its data, and the target where the data is a table:

```yaml
study: houses
data: {source: houses.csv, target: price}
```

Everything else has a default. `hpsearch validate study.yaml` reports all that is wrong with a file at once,
each problem with its line, key, rule and remedy. YAML is read by its core schema (1.2): `1e-4` is a number,
`no`, `on` and dates are text, and a key that comes twice is an error. A null is `null`, `~` or nothing.

`-S key.path=value` on the command line sets a key for one run, for example `-S budget.trials=20` or
`-S space.learning_rate.max=0.01`. Items of a list are counted from 0: `-S objectives.1.direction=minimize`.
Where the file has no `space`, such an override changes the default space.

A study's trials belong to its file: once there are trials, only the sizes in
`budget` (not `in_flight`), `storage`, `cluster` and `tracking` may change; where the trials are kept, the
store remembers.
"""

_LAYERS: Final = """\
## layers

What `model.layers` may list, from the inputs on. A layer is a name (`flatten`), a name with its settings
(`{convolution: {filters: 16, kernel: 3}}`), or with the one setting marked *alone* (`{dense: 64}`). Every
setting may be a `$name`. The layer that gives the outputs follows by itself. [Networks](networks.md) has an
example of each.
"""

_SPACE: Final = """\
## space

What is searched. Only what is listed here is searched; every other hyperparameter stays at its default. A
parameter is written as

| form | meaning | example |
| --- | --- | --- |
| a list | a choice, without order | `optimizer: [sgd, adam]` |
| a bare value | fixed for all trials | `epochs: 30` |
| `{min, max}` | a range, both ends included | `dropout: {min: 0.0, max: 0.5}` |
| `{min, max, log: true}` | a range by orders of magnitude | `l2: {min: 1e-6, max: 1e-1, log: true}` |
| `{min, max, step}` | a range in steps (integers: 1) | `width: {min: 16, max: 128, step: 16}` |
| `{values, when}` | a choice under a condition | `beta1: {values: [0.8, 0.9], when: {optimizer: adam}}` |
| `{value, when}` | a fixed value under a condition | `rho: {value: 0.95, when: {optimizer: rmsprop}}` |

`when` maps other parameters to the value, or the list of values, that they must have; a range takes it as
well. A parameter whose condition does not hold is left out of the trial, and its default applies.

**Names of your own.** `$name` in `model` refers to a parameter of the space, so that one layer may differ
from the next:

```yaml
model: {hidden: [$first, $second]}
space:
  first: [64, 128]
  second: {min: 8, max: 64, log: true}
```

**Whole lists of layers.** `hidden` is searched as a list of lists. In results such a value is text, the
widths joined by dashes (`64-32`); `linear` is the empty list, a model without hidden layers. Both spellings
may be written:

```yaml
space: {hidden: [[64], [64, 64], [128, 64, 32]]}
```

**Depth and width.** `depth` and `width`, in `model` or in `space`, stand in place of `hidden`: that many
layers of that width. A value is given once: by `model` or by `space`.

Without `space` in the file, this one is searched:

```yaml
"""

_HYPERPARAMETERS: Final = """\
## Hyperparameters

All that may stand in `space`. Trials that agree in those marked * train together, in one cohort; that is
faster and changes no result.
"""

_SAMPLERS: Final = """\
## Samplers and their options

Options are written next to the name: `sampler: {name: tpe, n_startup_trials: 20}`. Names and meanings are
Optuna's, but for `grid`, which is ours.
"""


def reference() -> str:
    """The whole page, as Markdown."""
    return "\n".join(_blocks()).rstrip() + "\n"


def _blocks() -> Iterator[str]:
    defaults = StudySpec.model_validate({"study": "study", "data": {"source": "sklearn/digits"}}).written()
    yield _INTRODUCTION
    yield "## Keys\n"
    yield _keys("", StudySpec, defaults)
    for key, section in _sections(StudySpec):
        yield _section(key, section, defaults[key])
        for inner, nested in _sections(section):
            yield _section(f"{key}.{inner}", nested, defaults[key][inner])
        if key == "model":
            yield _LAYERS
            yield _layers()
            yield _SPACE + dump({"space": dict(DEFAULT_SPACE)}) + "```\n"
            yield _HYPERPARAMETERS
            yield _hyperparameters()
            yield _section("objectives", Objective, defaults["objective"])
            yield _section("metrics", MetricSpec, {"predictions": "labels"})
    yield _SAMPLERS
    yield _samplers()


def _sections(section: type[Section]) -> list[tuple[str, type[Section]]]:
    found = ((key, section_of(field)) for key, field in section.model_fields.items())
    return [(key, nested) for key, nested in found if nested is not None]


def _section(title: str, section: type[Section], defaults: Mapping[str, Any]) -> str:
    about = " ".join((section.__doc__ or "").split())
    short = f"In short, {section.short_form.words} may stand in its place.\n\n" if section.short_form else ""
    return f"## {title}\n\n{about}\n\n{short}{_keys(title, section, defaults)}"


def _keys(title: str, section: type[Section], defaults: Mapping[str, Any]) -> str:
    rows = []
    for key, field in section.model_fields.items():
        if (section, key) == (Sampler, "options"):
            continue
        form = form_of(field)
        anchor = f"{title}.{key}".strip(".").replace(".", "")
        allowed = form.words if form else f"[keys](#{anchor})"
        default = "**needed**" if field.is_required() else _value(defaults.get(key)) if form else ""
        rows.append((f"`{key}`", allowed, default, field.description or ""))
    return _table(("key", "allowed", "default", "meaning"), rows)


def _hyperparameters() -> str:
    rows = (
        (f"`{name}`{'*' if row.shape else ''}", row.rule.words, _value(row.default), row.description)
        for name, row in REGISTRY.items()
    )
    return _table(("name", "allowed", "default", "meaning"), rows)


def _layers() -> str:
    rows = []
    for name, kind in LAYERS.items():
        rows.append((f"**`{name}`**", "", "", kind.description))
        if kind.main == "layers":
            rows.append(("`layers` (alone)", "a list of layers", "**needed**", "what the block computes"))
        for key, setting in kind.settings.items():
            alone = " (alone)" if key == kind.main else ""
            allowed = setting.rule.words + (", or a list with one an axis" if setting.sizes else "")
            if setting.of_model:
                default = f"the model's `{setting.of_model}`"
            else:
                default = "**needed**" if setting.default is NEEDED else _value(setting.default)
            rows.append((f"`{key}`{alone}", allowed, default, setting.description))
    return _table(("layer, setting", "allowed", "default", "meaning"), rows)


def _samplers() -> str:
    rows = []
    for name, method in METHODS.items():
        rows.append((f"**`{name}`**", "", "", method.description))
        rows += [
            (f"`{key}`", option.rule.words, option.default, option.description)
            for key, option in method.options.items()
        ]
    return _table(("sampler, option", "allowed", "default", "meaning"), rows)


def _value(value: Any) -> str:
    return f"`{dump(value).removesuffix('...' + chr(10)).strip()}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(reference())
