"""The structure of the package, read from its imports: law 10, and the habits that keep it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hpsearch"

# From the top downwards; a part may import the parts behind it, never those before it.
ORDER = [
    "__main__",
    "cli",
    "api",
    "sklearn",
    "nested",
    "study",
    "report",
    "upkeep",
    "drafting",
    "preview",
    "likeness",
    "results",
    "reading",
    "trial_table",
    "pictures",
    "model_card",
    "export",
    "archive",
    "driver",
    "callbacks",
    "tracking",
    "winner",
    "selection",
    "baselines",
    "own_data",
    "fit",
    "beginning",
    "architecture",
    "model",
    "search",
    "execution",
    "judgment",
    "engine",
    "data",
    "extensions",
    "spec",
    "store",
    "randomness",
    "addresses",
    "leaving",
    "overlapping",
    "errors",
]
OWNERS = {
    "distributed": ("execution",),
    "dask": ("execution",),
    "optuna": ("search", "report"),  # its figures
    "plotly": ("report",),
    "jinja2": ("report",),
    "mlflow": ("tracking",),
    "sqlalchemy": ("search", "tracking"),  # what Optuna and MLflow both keep their tables with
    "psycopg": ("search",),
    "click": ("cli",),
    "onnx": ("export",),
    "onnxruntime": ("export",),
    "rich": ("cli",),
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE).parts
    return inside[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.append(node.module or "")
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path):
    """No module imports a part above its own."""
    part = part_of(path)
    if part == "__init__":
        return
    for name in imports(path):
        if name.split(".")[0] == "hpsearch" and name != "hpsearch":
            target = name.split(".")[1]
            assert ORDER.index(target) >= ORDER.index(part), f"{part} imports {name}, which stands above it"
        assert name != "hpsearch", "the package's own facade is for its users"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_outside_library_has_one_owner(path):
    """Only search imports optuna, only tracking imports mlflow, only cli imports click and rich."""
    for name in imports(path):
        owners = OWNERS.get(name.split(".")[0], (part_of(path),))
        assert part_of(path) in owners, f"{path.name} imports {name}, which belongs to {owners}"


def test_every_part_has_its_place_in_the_order():
    """A new part must be given its place."""
    assert {part_of(path) for path in MODULES} - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_readable(path):
    """No file is longer than 300 lines."""
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_executes_what_it_reads(path):
    """No loader that runs code from data: no pickle, no joblib, no yaml.load with an unsafe loader, no eval."""
    tree = ast.parse(path.read_text())
    assert not {"pickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"} & {
        name.split(".")[0] for name in imports(path)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "yaml.load", "yaml.unsafe_load"), called
            if called in ("np.load", "numpy.load"):
                assert "allow_pickle=False" in ast.unparse(node)
