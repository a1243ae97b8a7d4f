"""Make the screenshots of docs/images anew, from a study that has been run: needs Chromium.

    python docs/images/make.py [STORE] [STUDY]
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hpsearch.report import write_report
from hpsearch.store import Store
from hpsearch.tracking import ui_server

IMAGES = Path(__file__).parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DARK = "--blink-settings=preferredColorScheme=0"


def main(store: str = "mlruns", study: str = "digits") -> None:
    """The report on paper and in the dark, and the study in the MLflow UI."""
    if CHROMIUM is None:
        sys.exit("needs Chromium")
    place = Store.locate(store)
    home = place.find(study)
    page = write_report(home).as_uri()
    picture(page, "report.png", "1200,2300")
    picture(page, "report-dark.png", "600,2300", DARK)
    with ui_server(place) as ui:
        picture(ui.link(home), "mlflow-compare.png", "2400,1500", budget=120)


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


if __name__ == "__main__":
    main(*sys.argv[1:])
