"""The prebuilt view in a real browser: all trials compared, without any set-up."""

import shutil
import subprocess

import pytest

from hpsearch.tracking import sync, ui_server
from tests.support.ports import free_port

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=2800,2600"),
)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


CHARTS = (
    "Parameters against the objective",
    "Parallel Coordinates",
    "Curves",
    "hp/log10_learning_rate",
    "compare all trials",
)
COLUMNS = ("objective", "learning_rate", "optimizer", "hpsearch.state")
ATTEMPTS = 5


def page(url, profile, expected):
    """The page's text and markup after its scripts have run.

    The browser's virtual clock may run out while a busy machine still serves a piece of the page: it is loaded again,
    with what is in the profile's cache by then, until all that is expected is there.
    """
    for _ in range(ATTEMPTS):
        markup = dump(url, profile)
        if all(text in markup for text in expected):
            break
    return markup


def dump(url, profile):
    command = [
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={profile}",
        "--virtual-time-budget=20000",
        "--dump-dom",
        url,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_the_link_shows_every_trial_with_its_parameters_and_curves(study, tmp_path):
    sync(study.store, study.home)
    with ui_server(study.store, free_port()) as ui:
        link = ui.link(study.home)
        charts = page(link, tmp_path / "charts", CHARTS)
        table = page(link.replace("&compareRunsMode=CHART", ""), tmp_path / "table", COLUMNS)
    for number in range(8):
        assert f"trial-{number:04d}" in charts
        assert f"trial-{number:04d}" in table
    for text in CHARTS:
        assert text in charts
    for text in COLUMNS:
        assert text in table
