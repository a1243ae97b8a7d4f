"""Make the screenshots of docs/images anew, from a study that has been run: needs Chromium.

python docs/images/make.py [STORE] [STUDY]
"""

import os
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from hpsearch.report import write_report
from hpsearch.store import Store
from hpsearch.tracking import attach_files, run_id, ui_server

IMAGES = Path(__file__).parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DARK = "--blink-settings=preferredColorScheme=0"


def main(store: str = "mlruns", study: str = "digits") -> None:
    """A trial with one thing changed, the report on paper and in the dark, the study in the MLflow UI, its best trial."""
    if CHROMIUM is None:
        sys.exit("needs Chromium")
    place = Store.locate(store)
    home = place.find(study)
    terminal(["why", study, "3", "--workers", "1", "--store", str(place.root)], "terminal-why.png", "1190,480")
    page = write_report(home).as_uri()
    attach_files(place, home)
    picture(page, "report.png", "1200,2300")
    picture(page, "report-dark.png", "600,2300", DARK)
    with ui_server(place) as ui:
        compared = str(ui.link(home))
        picture(compared, "mlflow-compare.png", "2400,1500", budget=120)
        within = compared.partition("runs?")[0] + "runs/" + str(run_id(place, home, None))
        shown = "?workflowType=machine_learning"
        picture(f"{within}{shown}", "mlflow-study.png", "1700,1200", budget=60)
        picture(f"{within}/artifacts/card.md{shown}", "mlflow-card.png", "1700,1300", budget=60)
    terminal(["show", study, "--store", str(place.root)], "terminal-show.png", "1150,700")


def picture(address: str, name: str, size: str, *flags: str, budget: int = 30) -> None:
    """One screenshot, after the page's scripts have had so many seconds of their own time."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
            *(f"--user-data-dir={profile}", f"--virtual-time-budget={budget}000", f"--window-size={size}"),
            *(f"--screenshot={IMAGES / name}", *flags, address),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=300)  # noqa: S603 - ours
    print(IMAGES / name)


def terminal(arguments: list[str], name: str, size: str) -> None:
    """What a command prints on a terminal of 120 columns, in its colours."""
    command = [sys.executable, "-m", "hpsearch", *arguments]
    terminal = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "120"}
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env=terminal)  # noqa: S603 - ours
    console = Console(record=True, width=120, file=StringIO())
    console.print(Text.from_ansi(printed.stdout))
    with tempfile.TemporaryDirectory() as directory:
        page = Path(directory, "terminal.html")
        page.write_text(console.export_html(inline_styles=True), encoding="utf-8")
        picture(page.as_uri(), name, size)


if __name__ == "__main__":
    main(*sys.argv[1:])
