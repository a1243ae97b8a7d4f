"""What docs/security.md promises, held against the code and against files that mean harm."""

import ast
import re
from pathlib import Path

import pytest

from hpsearch.errors import InputError
from hpsearch.spec import parse_study
from hpsearch.store import Store
from tests.support.tracking import make_study

PACKAGE = Path(__file__).parents[1] / "hpsearch"
MODULES = sorted(PACKAGE.rglob("*.py"))
RUN_CODE = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "code.interact", "runpy.run_path"),
    *(
        "yaml.load",
        "yaml.load_all",
        "yaml.unsafe_load",
        "yaml.full_load",
        "pd.read_pickle",
        "pandas.read_pickle",
    ),
    *("torch.load", "joblib.load", "pickle.load", "pickle.loads", "marshal.loads", "cloudpickle.load"),
    *("importlib.util.spec_from_file_location", "importlib.machinery.SourceFileLoader"),
}
"""Calls that run code which they are given, or find in what they read."""

UNPICKLERS = {
    "pickle",
    "cPickle",
    "joblib",
    "dill",
    "cloudpickle",
    "marshal",
    "shelve",
    "jsonpickle",
    "torch",
}
BY_DASK = {"execution/cluster.py", "execution/cluster_worker.py"}
"""Dask's wire format is its own, between the user's own scheduler and workers; nothing of it reaches a file."""

TRAVERSALS = (
    "..",
    "../x",
    "a/b",
    "/etc/x",
    "a\\b",
    ".hidden",
    "",
    " ",
    "x\n",
    "~root",
    "a" * 65,
    "a\0b",
    "CON:",
    "é",
)


def calls(path):
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


def named(path):
    """The names of a module's calls, with the line of each."""
    return [(ast.unparse(call.func), call) for call in calls(path)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_runs_code_that_it_reads(path):
    for name, call in named(path):
        assert name not in RUN_CODE, f"{path}:{call.lineno}: {name}"
        settings = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert settings.get("allow_pickle", "False") == "False", f"{path}:{call.lineno}: {name}"
        assert settings.get("shell", "False") == "False", f"{path}:{call.lineno}: {name}"
        if name.rpartition(".")[2] == "read_array" or name in ("np.load", "numpy.load"):
            assert "allow_pickle" in settings, f"{path}:{call.lineno}: {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_unpickles(path):
    """Dask's modules excepted, none imports anything that could."""
    if str(path.relative_to(PACKAGE)) in BY_DASK:
        return
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not UNPICKLERS & {name.split(".")[0] for name in names}, f"{path}: {names}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_sql_is_never_put_together_from_values(path):
    """Statements are constants with parameters, or expressions of SQLAlchemy."""
    for name, call in named(path):
        if (
            name.rpartition(".")[2] not in ("execute", "executemany", "executescript", "text")
            or not call.args
        ):
            continue
        statement = call.args[0]
        built = isinstance(statement, ast.JoinedStr | ast.BinOp) or (
            isinstance(statement, ast.Call) and ast.unparse(statement.func).endswith(".format")
        )
        assert not built, f"{path}:{call.lineno}: {ast.unparse(statement)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_listens_to_the_world_by_default(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant):
            assert node.value not in ("0.0.0.0", "::"), f"{path}:{node.lineno}"


@pytest.mark.parametrize("name", TRAVERSALS)
def test_a_study_cannot_be_named_out_of_the_store(name, tmp_path):
    with pytest.raises(InputError):
        parse_study(f"study: {name!r}\ndata: {{source: sklearn/iris}}")
    with pytest.raises(InputError):
        Store(tmp_path).find(name)


@pytest.mark.parametrize("experiment", ["..", ".", "../../escape", "/absolute", "a/../../b", "...", "x/.."])
def test_an_experiment_cannot_send_its_artifacts_out_of_the_store(experiment, tmp_path):
    from mlflow import MlflowClient

    from hpsearch.tracking import sync
    from hpsearch.tracking.place import embedded_uri

    study = make_study(Store(tmp_path / "mlruns"), count=1)
    sync(study.store, study.home, experiment=experiment)
    found = MlflowClient(tracking_uri=embedded_uri(study.store)).get_experiment_by_name(experiment)
    location = Path(re.sub("^file://", "", found.artifact_location))
    assert location.resolve().parent == study.store.artifacts.resolve()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlruns"]


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system [id]",
        "!!python/name:os.system",
        "!!binary aGk=",
        "!include /etc/passwd",
    ],
)
def test_a_tag_in_a_study_file_is_refused(tag):
    with pytest.raises(InputError, match="has the tag"):
        parse_study(f"study: a\ndata: {{source: sklearn/iris}}\nseed: {tag}")


def test_a_text_that_repeats_itself_exponentially_is_refused():
    levels = "".join(f"k{i}: &k{i} [{', '.join([f'*k{i - 1}'] * 9)}]\n" for i in range(1, 30))
    with pytest.raises(InputError, match="holds more than 100000 values"):
        parse_study(f"k0: &k0 [1]\n{levels}")


@pytest.mark.parametrize(
    "text", ["[" * 500_000, "{a: " * 100_000, "- " * 100_000, "a: &a [*a]", "9" * 900_000]
)
def test_a_text_that_is_absurd_is_refused(text):
    with pytest.raises(InputError):
        parse_study(text)
