"""The prebuilt view in a real browser: all trials compared, without any set-up."""

import shutil
import subprocess

import pytest

from hpsearch.tracking import sync, ui_server

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=2800,2600"),
)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


def page(url, profile):
    """The page's text and markup after its scripts have run."""
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
    with ui_server(study.store) as ui:
        link = ui.link(study.home)
        charts = page(link, tmp_path / "charts")
        table = page(link.replace("&compareRunsMode=CHART", ""), tmp_path / "table")
    for number in range(8):
        assert f"trial-{number:04d}" in charts
        assert f"trial-{number:04d}" in table
    for text in (
        "Parameters against the objective",
        "Parallel Coordinates",
        "Curves",
        "hp/log10_learning_rate",
    ):
        assert text in charts
    for text in ("objective", "learning_rate", "optimizer", "hpsearch.state"):
        assert text in table
