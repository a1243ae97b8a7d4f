"""A model's card (Mitchell et al. 2019): what it was trained on, how good it is, its limits, how to call it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hpsearch.judgment.sentences import score_table, short_number

_EXAMPLE: Final = """    import mlflow
    mlflow.set_tracking_uri("sqlite:///mlruns/mlflow.db")     # of the store, or your server's address
    model = mlflow.pyfunc.load_model("models:/{name}@best")
    model.predict(rows)          # a DataFrame with the columns of the schema, raw as they came

or `hpsearch predict {name} rows.csv`; or `hpsearch.load_model("{key}")` in Python; or, as a service (the example is
among the model's files):

    export MLFLOW_TRACKING_URI=sqlite:///mlruns/mlflow.db
    mlflow models serve -m models:/{name}@best --env-manager local -p 5610
    curl -X POST http://127.0.0.1:5610/invocations -H 'Content-Type: application/json' \\
         -d @serving_input_example.json"""


def model_card(study: str, result: Mapping[str, Any]) -> str:
    """The card of a study's refitted winner, in Markdown; `study` is its name, `result` what `result.json` holds."""
    return "\n".join(
        [
            f"# {result['study']}: the refitted winner, trial-{result['trial']:04d}",
            "",
            *_data(result["data"]),
            *_scores(result),
            "",
            "## Limits",
            "",
            *(f"- {limit}" for limit in _limits(result)),
            "",
            "## How to call it",
            "",
            _EXAMPLE.format(name=study, key=result["study"]),
            "",
            "## How it was made",
            "",
            f"Refitted on training and validation rows, {result['epochs']} epochs, with "
            + ", ".join(
                f"{name} {short_number(value)}"
                for name, value in result["params"].items()
                if name != "epochs"
            )
            + ".",
            "",
        ]
    )


def _data(data: Mapping[str, Any]) -> Iterator[str]:
    trained = data["rows"] - data["test_rows"]
    yield (
        f"Trained on {trained:,} rows of {data['source']} (fingerprint {data['fingerprint']}) to predict "
        f"{', '.join(data['targets'])} from {data['inputs']} columns."
    )
    yield ""


def _scores(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"## Scores on {result['data']['test_rows']:,} sealed test rows, opened once"
    yield ""
    yield from score_table(result)


def _limits(result: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "It was tested on rows of the same source, drawn as the study draws them; of other places and times the scores "
        "say nothing."
    )
    inspection = result.get("inspection", {})
    weakest = min(inspection.get("per_class") or (), key=lambda each: each["f1"] or 0, default=None)
    if weakest is not None:
        yield f"Of its classes {weakest['class']} is predicted worst: F1 {short_number(weakest['f1'])}."
    if inspection.get("calibration"):
        error = inspection["calibration"]["error"]
        yield f"Its probabilities are off by {error:.1%} on average (expected calibration error)."
    for name in inspection.get("lone_predictors", {}):
        yield f"{name} alone predicts the target: is it known before the target is?"
    if result["verdict"] != "healthy":
        yield f"Its curves say: {result['verdict'].replace('_', ' ')}."
    yield "Numbers outside the ranges of the training rows, and labels not seen there, are told by `hpsearch predict`."
