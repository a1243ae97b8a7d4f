"""The report in a real browser: every figure drawn, no error, the interactive parts at work."""

import re
import shutil
import subprocess

import pytest

from hpsearch.report import write_report
from hpsearch.spec import parse_study
from hpsearch.store import Store
from hpsearch.study import run_study
from tests.support.studies import QUICK, Watcher

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

# Does what a reader would do, and writes what came of it where --dump-dom shows it.
READER = """
<script>
const reader = setInterval(() => {
  if (document.documentElement.dataset.ready !== "yes") return;
  clearInterval(reader);
  const said = {};
  const table = document.getElementById("trial-table"), heads = [...table.tHead.rows[0].cells];
  const column = heads.findIndex((head) => head.textContent.trim() === "trained");
  const epochs = () => [...table.tBodies[0].rows].map((row) => +row.cells[column].textContent);
  heads[column].querySelector("button").click();
  said.ascending = epochs().every((value, place, all) => !place || all[place - 1] <= value);
  heads[column].querySelector("button").click();
  said.descending = epochs().every((value, place, all) => !place || all[place - 1] >= value);
  const filter = document.getElementById("filter");
  filter.value = "trial-0003";
  filter.dispatchEvent(new Event("input"));
  said.filtered = [...table.tBodies[0].rows].filter((row) => !row.hidden).length;
  const curves = document.querySelector('[data-figure="curves-data"]');
  const button = curves.layout.updatemenus[0].buttons[1];
  Plotly.update(curves, ...button.args).then(() => {
    said.axis = curves.layout.yaxis.title.text;
    said.light = document.querySelector('[data-figure="history-data"]').layout.font.color;
    const buttons = [...document.querySelectorAll(".modebar-btn")].map((button) => button.dataset.title);
    said.kept = buttons.includes("Zoom") && !buttons.some((title) => /share|cloud|edit/i.test(title));
    const plots = [...document.querySelectorAll(".plot")], widths = () => plots.map((plot) => plot._fullLayout.width);
    const onScreen = widths(), closed = document.querySelectorAll("details:not([open])").length;
    dispatchEvent(new Event("beforeprint"));
    said.paper = Math.max(...widths()) <= 680 && !document.querySelector("details:not([open])");
    dispatchEvent(new Event("afterprint"));
    said.again = String(widths()) === String(onScreen)
      && document.querySelectorAll("details:not([open])").length === closed;
    document.body.dataset.said = JSON.stringify(said).replaceAll('"', "'");
  });
}, 50);
</script>
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("report") / "mlruns")
    home = run_study(parse_study(QUICK), store=store, observer=Watcher()).home
    path = write_report(home)
    path.write_text(path.read_text("utf-8").replace("</body>", f"{READER}</body>"), encoding="utf-8")
    return path


def loaded(page, profile, *flags):
    command = [
        CHROMIUM,
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--enable-logging=stderr"),
        *("--virtual-time-budget=60000", f"--user-data-dir={profile}", "--dump-dom", *flags, page.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_every_figure_is_drawn_without_an_error_and_the_tables_answer(page, tmp_path):
    markup, console = loaded(page, tmp_path)
    assert console == []
    assert 'data-ready="yes"' in markup
    figures = re.findall(r'class="plot[^>]*data-figure="(\w+)-data"[^>]*>', markup)
    drawn = re.findall(r'class="plot[^>]*data-drawn="yes"', markup)
    assert len(figures) == len(drawn) == 12
    said = re.search(r'data-said="(.*?)"', markup)[1]
    for expected in (
        "'ascending':true",
        "'descending':true",
        "'filtered':1",
        "'axis':'train loss'",
        "'light':'#1b1f24'",
        "'kept':true",
        "'paper':true",
        "'again':true",
    ):
        assert expected in said


def test_a_phone_scrolls_what_it_would_squeeze_and_not_the_page(page, tmp_path):
    """In a frame as wide as a phone: a window of the browser cannot be as narrow."""
    tell = """<script>const watch = setInterval(() => {
      const inner = document.querySelector("iframe").contentDocument;
      if (inner?.documentElement?.dataset?.ready !== "yes") return;
      clearInterval(watch);
      const wide = inner.querySelector('[data-figure="parallel-data"]');
      document.body.dataset.said = `${inner.documentElement.scrollWidth} ${wide._fullLayout.width}`;
    }, 50)</script>"""
    frame = tmp_path / "phone.html"
    frame.write_text(f'<body><iframe width="390" height="800" src="{page.as_uri()}"></iframe>{tell}</body>')
    markup, console = loaded(frame, tmp_path / "profile", "--allow-file-access-from-files")
    assert console == []
    across, figure = map(float, re.search(r'data-said="([\d. ]+)"', markup)[1].split())
    assert across <= 390 < figure


def test_a_dark_page_has_light_letters_in_its_figures(page, tmp_path):
    markup, console = loaded(page, tmp_path, "--blink-settings=preferredColorScheme=0")
    assert console == []
    assert "'light':'#e6edf3'" in re.search(r'data-said="(.*?)"', markup)[1]
