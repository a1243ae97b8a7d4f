"""The files of a logged model, as MLflow's pyfunc flavor writes them for a loader module and data.

Written without MLflow, whose import and machinery take longer than a hundred trials: for the versions of MLflow whose
form is known, and tables of plain numbers and texts; a test holds the files equal to MLflow's. All else MLflow logs.
"""

import json
import platform
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import yaml

LOADER: Final = "hpsearch.model"
EXAMPLE: Final = "example.json"
"""Raw input rows beside the weights: a frame in "split" form."""

_KNOWN: Final = "3.17."
_BUILD: Final = ("pip", "setuptools", "wheel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a model takes and gives, as MLflow's signature says it, and an example of inputs."""

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    example: Mapping[str, Any]


def describe(model: Path) -> Description | None:
    """The description of the model in a directory; None where MLflow must write it."""
    try:
        example = json.loads((model / EXAMPLE).read_text(encoding="utf-8"))
        task = json.loads((model / "model.json").read_text(encoding="utf-8"))["task"]
    except (OSError, ValueError, KeyError):
        return None
    return described(example, task)


def described(example: Any, task: Mapping[str, Any]) -> Description | None:
    """The description of a model by raw rows of its inputs, and its task as JSON; None where MLflow must write it."""
    if not (_version("mlflow") or "").startswith(_KNOWN):
        return None
    if not isinstance(example, dict) or not {"columns", "data"} <= set(example) or not example["data"]:
        return None
    columns = [_column(list(values)) for values in zip(*example["data"], strict=True)]
    outputs = _output(task)
    if outputs is None or any(column is None for column in columns):
        return None
    kinds, values = zip(*(column for column in columns if column is not None), strict=True)
    names = [str(name) for name in example["columns"]]
    return Description(
        inputs=[
            {"type": kind, "name": name, "required": True} for name, kind in zip(names, kinds, strict=True)
        ],
        outputs=[{"type": "tensor", "tensor-spec": outputs}],
        example={"columns": names, "data": [list(row) for row in zip(*values, strict=True)]},
    )


def _column(values: list[Any]) -> tuple[str, list[Any]] | None:
    """A column's type for MLflow, and its values; whole numbers as fractions, which it would refuse otherwise."""
    kinds = {type(value) for value in values}
    if kinds <= {int, float}:
        return "double", [float(value) for value in values]
    return ("string", values) if kinds == {str} else None


def _output(task: Mapping[str, Any]) -> dict[str, Any] | None:
    if task["kind"] == "regression":
        targets = len(task["target_names"])
        return {"dtype": "float64", "shape": [-1] if targets == 1 else [-1, targets]}
    kinds = {type(label) for label in task["classes"]}
    names = {str: "str", int: "int64", bool: "bool", float: "float64"}
    return {"dtype": names[kinds.pop()], "shape": [-1]} if len(kinds) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """One logged model to be: `root` is where its experiment keeps its files, `source` the model's directory."""

    root: Path
    run_id: str
    source: Path
    description: Description
    model_id: str = field(default_factory=lambda: f"m-{uuid.uuid4().hex}")

    @property
    def directory(self) -> Path:
        """Where MLflow looks for the model's files."""
        return self.root / "models" / self.model_id / "artifacts"

    def write(self) -> None:
        """Write all files."""
        target = self.directory
        shutil.copytree(self.source, target / "data" / self.source.name)
        example = dict(self.description.example)
        (target / "input_example.json").write_text(json.dumps(example), encoding="utf-8")
        serving = json.dumps({"dataframe_split": example}, indent=2)
        (target / "serving_input_example.json").write_text(serving, encoding="utf-8")
        size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
        _dump(target / "MLmodel", self._ml_model(size))
        requirements = [f"mlflow=={version('mlflow')}", requirement()]
        (target / "requirements.txt").write_text("\n".join(requirements), encoding="utf-8")
        _dump(target / "conda.yaml", _conda(requirements))
        _dump(target / "python_env.yaml", _python_env(), sort_keys=False)

    def _ml_model(self, size: int) -> dict[str, Any]:
        return {
            "artifact_path": str(self.directory),
            "flavors": {
                "python_function": {
                    "code": None,
                    "data": f"data/{self.source.name}",
                    "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                    "loader_module": LOADER,
                    "python_version": platform.python_version(),
                    "streamable": False,
                }
            },
            "is_signature_from_type_hint": False,
            "mlflow_version": version("mlflow"),
            "model_id": self.model_id,
            "model_size_bytes": size,
            "model_uuid": self.model_id,
            "prompts": None,
            "run_id": self.run_id,
            "saved_input_example_info": {
                "artifact_path": "input_example.json",
                "pandas_orient": "split",
                "serving_input_path": "serving_input_example.json",
                "type": "dataframe",
            },
            "signature": {
                "inputs": json.dumps(self.description.inputs),
                "outputs": json.dumps(self.description.outputs),
                "params": None,
            },
            "type_hint_from_example": False,
            "utc_time_created": str(datetime.now(UTC).replace(tzinfo=None)),
        }


def requirement() -> str:
    """What a server must install to load the model."""
    try:
        return f"hpsearch>={version('hpsearch')}"
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "hpsearch"


def _conda(requirements: list[str]) -> dict[str, Any]:
    pip = _version("pip")
    return {
        "channels": ["conda-forge"],
        "dependencies": [
            f"python={platform.python_version()}",
            f"pip<={pip}" if pip else "pip",
            {"pip": requirements},
        ],
        "name": "mlflow-env",
    }


def _python_env() -> dict[str, Any]:
    tools = [f"{name}=={found}" if (found := _version(name)) else name for name in _BUILD]
    return {
        "python": platform.python_version(),
        "build_dependencies": tools,
        "dependencies": ["-r requirements.txt"],
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _dump(path: Path, value: Any, *, sort_keys: bool = True) -> None:
    with path.open("w", encoding="utf-8") as file:
        yaml.safe_dump(value, file, default_flow_style=False, sort_keys=sort_keys)
