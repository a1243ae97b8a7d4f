"""`hpsearch predict`: a model's predictions for a file of inputs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpsearch.cli.options import Verb, model_argument, store_option
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.errors import DataError, InputError, Problem, StorageError
from hpsearch.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.model import TrainedModel


@click.command(
    cls=Verb,
    short_help="Predict with a study's model.",
    examples=(
        "hpsearch predict houses new.csv -o predictions.csv",
        "hpsearch predict houses new.csv --strict | head",
        "hpsearch predict mlruns/studies/churn/model customers.parquet --proba --json",
    ),
)
@model_argument
@click.argument("data", metavar="DATA", type=click.Path(path_type=Path))
@store_option
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A .csv, .tsv, .parquet or .json file.  [default: CSV on standard output]",
)
@click.option("--proba", is_flag=True, help="The probability of each class as well.")
@click.option("--strict", is_flag=True, help="Predict nothing where the inputs are unlike the training data.")
@json_option(
    form="a list of objects with the columns of the CSV; with -o an object with `file`, `rows` and `warnings`"
)
def predict(
    model: str, data: Path, store: Store, *, output: Path | None, proba: bool, strict: bool, as_json: bool
) -> None:
    """Predict with MODEL, a study or the directory of a saved model, for each row of DATA.

    DATA is a table like that of the training, with or without its target, or an .npz file of one array. What is unlike
    the training data is warned of: categories never seen, numbers beyond their range, columns that are missing.
    """
    trained = load(model, store)
    try:
        inputs, differences = read_inputs(data, trained)
    except DataError as error:  # no key of a study file
        raise DataError(replace(problem, key="") for problem in error.problems) from error
    for text in differences:
        click.echo(f"warning: {data}: {text}", err=True)
    if strict and differences:
        raise DataError(
            Problem(
                place=str(data),
                rule=f"is unlike the training data in {len(differences)} ways (see above)",
                remedy="mend it, or leave --strict out",
            )
        )
    table = predictions(trained, inputs, proba=proba)
    if output is not None:
        write_table(table, output)
        if as_json:
            print_json({"file": str(output), "rows": len(table), "warnings": differences})
            return
        click.echo(f"{output}: {len(table):,} predictions", err=True)
        hint("export", model, "-o", "model.npz")
    elif as_json:
        print_json(table.to_dict(orient="records"))
    else:
        click.echo(table.to_csv(index=False), nl=False)
        hint("predict", model, data, "-o", "predictions.csv")


def load(model: str, store: Store) -> "TrainedModel":
    """The model in a directory, or that of a study."""
    from hpsearch.model import TrainedModel  # noqa: PLC0415 - numpy
    from hpsearch.results import load_model  # noqa: PLC0415 - optuna

    if (Path(model) / "model.json").is_file():
        return TrainedModel.load(Path(model))
    if "/" in model:
        raise InputError(f"{model}: no directory of a saved model (it has no model.json); or name a study")
    return load_model(model, store=store.root)


def read_inputs(path: Path, model: "TrainedModel") -> tuple[Any, list[str]]:
    """The inputs of a file, and how they differ from the training data.

    Raises:
        DataError: the file cannot be read.
    """
    from hpsearch.data.sources import existing, load  # noqa: PLC0415 - pandas
    from hpsearch.likeness import completed  # noqa: PLC0415

    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _array(existing(path, str(path))), []
    if suffix not in (".csv", ".tsv", ".parquet", ".feather", ".arrow"):
        raise DataError(
            Problem(
                place=str(path),
                rule="is no table",
                remedy="give a .csv, .tsv, .parquet, .feather or .npz file",
            )
        )
    return completed(model, load(str(path), base=Path()).frame, str(path))


def _array(path: Path) -> Any:
    from zipfile import BadZipFile  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415

    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = [name for name in ("X", "x", "inputs") if name in arrays.files] or arrays.files
            return arrays[names[0]]
    except (OSError, ValueError, EOFError, BadZipFile, IndexError) as error:
        raise DataError(Problem(place=str(path), rule=f"cannot be read as arrays ({error})")) from error


def predictions(model: "TrainedModel", inputs: Any, *, proba: bool) -> "pd.DataFrame":
    """A column for each target, and with `proba` one for each class's probability."""
    import pandas as pd  # noqa: PLC0415

    predicted = model.predict(inputs)
    names = model.task.target_names
    table = pd.DataFrame(predicted.reshape(len(predicted), -1), columns=list(names))
    if proba:
        chances = model.predict_proba(inputs)
        for index, label in enumerate(model.task.classes):
            table[f"P({names[0]}={label})"] = chances[:, index]
    return table


def write_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a table in the format that the path's ending names.

    Raises:
        InputError: it names none that is known.
        StorageError: it cannot be written.
    """
    writers: dict[str, Any] = {
        ".csv": lambda: table.to_csv(path, index=False),
        ".tsv": lambda: table.to_csv(path, index=False, sep="\t"),
        ".parquet": lambda: table.to_parquet(path, index=False),
        ".json": lambda: table.to_json(path, orient="records", indent=1),
    }
    if path.suffix.lower() not in writers:
        raise InputError(f"-o {path}: its ending must be one of {', '.join(writers)}")
    try:
        writers[path.suffix.lower()]()
    except OSError as error:
        raise StorageError(f"-o {path}: cannot be written ({error.strerror})") from error
