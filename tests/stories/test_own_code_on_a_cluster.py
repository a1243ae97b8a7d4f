"""Trainers and metrics of one's own on a Dask cluster, whose workers do not have the driver's modules."""

import json
import re
import sys

import pytest

from hpsearch import extensions
from hpsearch import run_study as from_python
from hpsearch.errors import InputError, TrainingError
from hpsearch.spec import parse_study
from hpsearch.store import Store
from hpsearch.study import run_study
from tests.support.dask import DaskCluster
from tests.support.studies import Watcher, table

TRAINER = """
import numpy as np

def train(parameters, data):
    from shared_steps import step  # beside this module, imported late
    with open({log!r}, "a") as log:
        print(__file__, file=log)
    random = np.random.default_rng(data.seed)
    for epoch in range(data.epochs):
        loss = step(parameters["rate"], epoch) + random.normal() / 100
        yield {{"validation_loss": loss, "train_loss": loss / 2}}
"""
STEPS = "def step(rate, epoch):\n    return abs(rate - {best}) + 1 / (1 + epoch)\n"
METRIC = (
    "import numpy as np\n\ndef wrong(targets, predictions):\n    return np.mean(targets != predictions)\n"
)
TRAINED = {
    "study": "trained",
    "data": {"source": "sklearn/iris"},
    "trainer": "own_training:train",
    "space": {"epochs": 4, "rate": {"min": 0.0, "max": 1.0}},
    "budget": {"trials": 6},
}
JUDGED = {
    "study": "judged",
    "data": {"source": "sklearn/iris"},
    "metrics": {"wrong": {"function": "own_judging:wrong", "direction": "minimize"}},
    "objective": {"metric": "validation_wrong", "direction": "minimize"},
    "space": {"epochs": 3, "learning_rate": {"min": 1e-3, "max": 1e-1, "log": True}},
    "budget": {"trials": 6},
}


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.close()


@pytest.fixture(autouse=True)
def forgotten():
    """What one test has imported is another file in the next."""
    yield
    forget()


def forget():
    extensions._imported.cache_clear()
    for name in ("own_training", "own_judging", "shared_steps", "shop_training"):
        sys.modules.pop(name, None)
    sys.path[:] = [place for place in sys.path if "pytest-" not in place]


def facts(study, place, *, base=None, dask=None):
    """The table of a study whose modules lie in `base`, on the cluster if there is one."""
    cluster = {} if dask is None else {"cluster": {"address": dask.address}}
    spec = parse_study(json.dumps({**study, **cluster}), base=base)
    store, code = Store.locate(place), extensions.Code(allowed=True)
    return table(run_study(spec, store=store, observer=Watcher(), code=code).facts)


def test_a_metric_beside_the_study_goes_to_the_workers(dask, tmp_path):
    """As text: the table is that of one worker."""
    (tmp_path / "own_judging.py").write_text(METRIC)
    there = facts(JUDGED, tmp_path / "there", base=tmp_path, dask=dask)
    assert there == facts(JUDGED, tmp_path / "here", base=tmp_path)


def test_a_trainer_goes_to_the_workers_with_what_it_imports(dask, tmp_path):
    """Also when it has changed since the same workers imported it."""
    tables = []
    for best in (0.3, 0.7):
        base = tmp_path / f"best {best}"
        base.mkdir()
        (base / "own_training.py").write_text(TRAINER.format(log=str(base / "log")))
        (base / "shared_steps.py").write_text(STEPS.format(best=best))
        there = facts(TRAINED, base / "there", base=base, dask=dask)
        *trained, refitted = (base / "log").read_text().splitlines()
        assert (len(trained), refitted) == (6, str(base / "own_training.py"))
        assert all("hpsearch-code-" in file for file in trained)
        assert there == facts(TRAINED, base / "here", base=base)
        tables.append(there)
        forget()
    assert tables[0] != tables[1]


def test_a_package_that_a_worker_lacks_is_told(dask, tmp_path, monkeypatch):
    """Packages are not sent: they are installed."""
    described = tmp_path / "shop-1.5.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.5\n")
    (described / "entry_points.txt").write_text("[hpsearch.trainers]\nshop = shop_training:train\n")
    (tmp_path / "shop_training.py").write_text("def train(parameters, data):\n    return []\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TrainingError) as caught:
        facts({**TRAINED, "trainer": "shop"}, tmp_path, dask=dask)
    assert re.search(
        r"worker tcp://\S+: shop_training:train cannot be imported \(ModuleNotFoundError: No module named "
        r"'shop_training'\); install there what the driver has",
        str(caught.value),
    )


def test_a_function_of_a_notebook_cannot_go_there(dask, tmp_path):
    study = {**TRAINED, "cluster": {"address": dask.address}}
    with pytest.raises(InputError, match="cannot be imported by the workers of a cluster: what a notebook"):
        from_python(study, trainer=lambda _, __: [], store=tmp_path, progress=False)
