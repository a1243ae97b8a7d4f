"""Nested cross-validation: a study's whole search once for each outer fold, each winner scored on rows it never saw."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from hpsearch.archive import last_run
from hpsearch.errors import InputError
from hpsearch.extensions import Code
from hpsearch.judgment.generalization import OuterFold, nested_json
from hpsearch.reading import open_for_reading
from hpsearch.search.places import Database, place_of
from hpsearch.spec import StudySpec
from hpsearch.store import Store, StudyHome, load_result, write_text
from hpsearch.study import Observer, StudyResult, run_study
from hpsearch.upkeep.continuation import stored_spec

Watch = Callable[[], AbstractContextManager[Observer]]
"""Who watches a search: asked for one observer a fold."""


def run_nested(
    home: StudyHome, store: Store, *, folds: int, workers: int, watch: Watch, code: Code | None = None
) -> dict[str, object]:
    """Search anew on all but one outer fold, for each of them; what `nested.json` in the study's home then holds.

    The outer folds share out the rows on which the study trains and validates; its test part stays sealed. Each search
    is a study of its own (`digits-outer-1-of-5`), to the study's budget: interrupted, it goes on where it left off, and
    with a larger budget from what there is.

    Raises:
        InputError: the study is itself such a search, or its file is not at hand.
        HpsearchError: as `hpsearch.study.run_study` says.
    """
    place = place_of(home)
    storage = place.address if isinstance(place, Database) else None
    done = []
    for spec in fold_specs(home, folds):
        with watch() as observer:
            result = run_study(
                spec, store=store, observer=observer, workers=workers, storage=storage, code=code
            )
        done.append(_fold(result))
    found = nested_json(done)
    write_text(home.nested, json.dumps(found, indent=1))
    return found


def fold_specs(home: StudyHome, folds: int) -> Iterator[StudySpec]:
    """The studies that search on all but one outer fold each.

    Raises:
        InputError: the study is itself one of them, or its trainer shows no model to score.
    """
    own = stored_spec(home)
    if own.data.split.outer is not None:
        raise InputError(
            f"{home.key} is itself the search of an outer fold; name the study that it belongs to"
        )
    result = load_result(home)
    if result is not None and not result["test"]:
        raise InputError(
            f"{home.key}: its trainer shows no model, so nothing can be scored on rows that it never saw; give it "
            "with each epoch, as `model` (docs/extending.md)"
        )
    last = last_run(home)
    trials = max(len(open_for_reading(home).facts()), int(last.get("trials") or 0))
    for place in range(1, folds + 1):
        yield stored_spec(
            home,
            [
                f"study={home.key.replace('~', '-')}-outer-{place}-of-{folds}",
                f"data.split.outer={place}/{folds}",
                f"budget.trials={trials}",
                f"select={last.get('select', own.select)}",
                f"tracking.experiment={own.tracking.experiment or home.key}-nested",
            ],
        )


def _fold(result: StudyResult) -> OuterFold:
    winner, data = result.result, result.result["data"]
    searched = {name for fact in result.facts for name in fact.distributions}
    return OuterFold(
        study=result.home.key,
        trial=winner["trial"],
        trials=len(result.facts),
        params={name: value for name, value in winner["params"].items() if name in searched},
        train_rows=data["train_rows"] + data["validation_rows"],
        test_rows=data["test_rows"],
        scores=winner["scores"],
        test={name: score["value"] for name, score in winner["test"].items()},
    )
