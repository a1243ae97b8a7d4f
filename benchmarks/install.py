"""Make the benchmarks' own environment: hpsearch, and every peer that can be installed here.

    python3 benchmarks/install.py

scikit-learn, Optuna and MLflow, peers as well, come with hpsearch itself.
"""

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
PIP = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet"]


def peers() -> list[str]:
    """The lines of requirements.txt."""
    lines = (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def main() -> int:
    """Install; fails only where hpsearch itself cannot be installed."""
    if not ENVIRONMENT.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    if subprocess.call([*PIP, "--editable", str(HERE.parent)]):
        return 1
    for peer in peers():
        if subprocess.call([*PIP, peer]):
            print(f"{peer} cannot be installed here: its rows will be reported as missing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
