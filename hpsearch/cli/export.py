"""`hpsearch export`: a model, or its recipe, for other programs."""

from pathlib import Path

import click

from hpsearch.cli.options import Verb, model_argument, store_option
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.errors import InputError, StorageError
from hpsearch.store import Store


@click.command(
    cls=Verb,
    short_help="Write a model for other programs.",
    examples=(
        "hpsearch export digits -o digits.onnx",
        "hpsearch export digits -o digits.npz",
        "hpsearch export digits -o network.py --source torch",
    ),
)
@model_argument
@store_option
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="A .onnx or .npz file for the trained model, or a .py file for its recipe.",
)
@click.option(
    "--source",
    type=click.Choice(["torch", "keras"]),
    default="torch",
    show_default=True,
    help="Of a .py file: the library that builds and trains the same network.",
)
@json_option("file", "takes", "deviation")
def export(model: str, store: Store, *, output: Path, source: str, as_json: bool) -> None:
    """Write MODEL, a study or the directory of a saved model, to FILE; its ending says how.

    .onnx: a fully connected network, with the preprocessing of numbers inside, run by onnxruntime and compared with
    this model to 1e-5. .npz: the arrays of any network and their description, for NumPy. .py: source text of the best
    trial's network, optimizer and training, untrained.
    """
    from hpsearch.cli.predict import load  # noqa: PLC0415 - numpy

    written: dict[str, object] = {"file": str(output), "takes": None, "deviation": None}
    match output.suffix.lower():
        case ".onnx":
            from hpsearch.export.onnx_file import write_onnx  # noqa: PLC0415

            done = write_onnx(load(model, store), output)
            written |= {"takes": done.takes, "deviation": done.deviation}
            said = (
                f"takes {done.takes} ({len(done.columns)}), deviates by {done.deviation:.1e} in onnxruntime"
            )
        case ".npz":
            from hpsearch.export.archive import write_archive  # noqa: PLC0415

            write_archive(load(model, store), output)
            said = "arrays and model.json"
        case ".py":
            if (Path(model) / "model.json").is_file():
                raise InputError(
                    f"-o {output}: a recipe is of a study's best trial; name the study, not {model}"
                )
            from hpsearch.results import best_params  # noqa: PLC0415

            best = best_params(model, store=store.root)
            text = best.to_torch() if source == "torch" else best.to_keras()
            try:
                output.write_text(text, encoding="utf-8")
            except OSError as error:
                raise StorageError(f"{output}: cannot be written ({error.strerror})") from error
            said = f"source text for {source}"
        case _:
            raise InputError(f"-o {output}: its ending must be .onnx, .npz or .py")
    if as_json:
        print_json(written)
        return
    click.echo(f"{output}: {said}")
    hint("predict", model, "data.csv")
