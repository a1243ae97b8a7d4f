"""What the numbers were measured on."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("numpy", "torch", "jax", "scikit-learn", "optuna", "mlflow")


def describe() -> str:
    """The processor, its caches, the system and the versions of what was compared."""
    cores = os.cpu_count()
    return (
        f"{_processor()}, {cores} cores, {_cache(2)} second-level cache, {platform.system()}, "
        f"Python {platform.python_version()}, {', '.join(f'{name} {_version(name)}' for name in _PACKAGES)}"
    )


def commit() -> str:
    """The state of the code: its commit, `+` behind it where code differs from it; empty where git does not know."""
    head = _git("rev-parse", "--short=7", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "hpsearch", "studies", "benchmarks/*.py")
    return f"{head}+" if head and changed else head


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(Path(__file__).resolve().parent.parent), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor() -> str:
    for text in _lines(Path("/proc/cpuinfo")):
        if text.startswith("model name"):
            kind = "AVX-512" if any("avx512f" in flags for flags in _lines(Path("/proc/cpuinfo"))) else "no AVX-512"
            return f"{text.partition(':')[2].strip()} ({kind})"
    return platform.processor() or platform.machine()


def _cache(level: int) -> str:
    for directory in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        if _lines(directory / "level") == [str(level)]:
            return "".join(_lines(directory / "size"))
    return "unknown"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"
