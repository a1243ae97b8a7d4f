"""The results as lines, as RESULTS.md and as a figure."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.row import Row

HERE = Path(__file__).resolve().parent
_STORED = HERE / "results.json"
_PAGE = HERE / "RESULTS.md"
_FIGURE = HERE / "results.png"
_README = HERE.parent / "README.md"
_BEGIN, _END = "<!-- benchmarks: written by `make bench` -->", "<!-- benchmarks end -->"

Entry = Mapping[str, Any]


def load() -> dict[str, Entry]:
    """What was measured so far, by row."""
    return json.loads(_STORED.read_text(encoding="utf-8")) if _STORED.exists() else {}


def save(entries: Mapping[str, Entry]) -> None:
    """Keep the measurements."""
    _STORED.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def line(row: Row, entry: Entry) -> str:
    """One row for the terminal, its variants below it."""
    if "result" not in entry:
        return f"{row.name:16s} {_absence(entry)}"
    result = entry["result"]
    mark = "ok  " if row.holds(result["ratio"]) else "MISS"
    text = (
        f"{row.name:16s} {mark} {result['ratio']:8.2f} ({_bound(row)})  "
        f"ours {_number(result['ours'])}, peer {_number(result['peer'])} {result['unit']}"
    )
    for name, value in result["variants"].items():
        text += f"\n    {name:30s} {_number(value)}"
    return f"{text}\n    {result['note']}" if result["note"] else text


def write(rows: Sequence[Row], entries: Mapping[str, Entry]) -> None:
    """RESULTS.md, and the figure where matplotlib is installed."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench` (`make bench ONLY=name` measures one row again). Every number is a ratio of medians,",
        "both sides measured in turn in one run, each in a process of its own, on the same core with one thread (rows on two cores: two processes).",
        "",
        f"Measured {_circumstances(rows, entries)}.",
        "",
        "![ratios and targets](results.png)",
        "",
        "| row | against | measured | must be | | ours | peer | of sgemm peak | memory, ours / peer |",
        "| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
        *[_cells(row, entries.get(row.name, {})) for row in rows],
        "",
        "Measured in brackets: the quartiles over the repetitions.",
        "",
        *[text for row in rows for text in _section(row, entries.get(row.name, {}))],
    ]
    _PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    _draw(rows, entries)
    _renew_readme(rows, entries)


def _renew_readme(rows: Sequence[Row], entries: Mapping[str, Entry]) -> None:
    """The table of README.md, between its marks."""
    text = _README.read_text(encoding="utf-8")
    if _BEGIN not in text or _END not in text:
        return
    before, _, rest = text.partition(_BEGIN)
    lines = [
        _BEGIN,
        "| hpsearch is so many times as fast | as | measured | aim | |",
        "| --- | --- | ---: | ---: | --- |",
        *[_short_cells(row, entries.get(row.name, {})) for row in rows],
        "",
        f"Measured {_circumstances(rows, entries)}. `make bench` measures all of it again, on your machine.",
        _END,
    ]
    _README.write_text(before + "\n".join(lines) + rest.partition(_END)[2], encoding="utf-8")


def _circumstances(rows: Sequence[Row], entries: Mapping[str, Entry]) -> str:
    """When, and on what: where rows were measured on several machines, on each of them."""
    places: dict[str, list[str]] = {}
    for row in rows:
        if "result" in (entry := entries.get(row.name, {})):
            places.setdefault(entry.get("machine", "an earlier machine"), []).append(entry["date"][:10])
    spans = {place: sorted({min(dates), max(dates)}) for place, dates in places.items()}
    return "; ".join(f"{' to '.join(span)} on {place}" for place, span in spans.items()) or "never"


def _short_cells(row: Row, entry: Entry) -> str:
    link = f"[{row.title}](benchmarks/RESULTS.md#{row.name})"
    if "result" not in entry:
        return f"| {link} | {row.against} | {_absence(entry)} | {_bound(row)} | |"
    ratio = entry["result"]["ratio"]
    verdict = "holds" if row.holds(ratio) else "missed"
    return f"| {link} | {row.against} | **{ratio:.3g}** | {_bound(row)} | {verdict} |"


def _cells(row: Row, entry: Entry) -> str:
    head = f"| [{row.title}](#{row.name}) | {row.against} |"
    if "result" not in entry:
        return f"{head} {_absence(entry)} | {_bound(row)} | | | | | |"
    result = entry["result"]
    spread = " ({:.3g} to {:.3g})".format(*result["spread"]) if result["spread"] else ""
    memory = " / ".join(f"{result['memory'][side] / 1e6:.0f}" for side in ("ours", "peer") if side in result["memory"])
    return (
        f"{head} **{result['ratio']:.3g}**{spread} | {_bound(row)} | "
        f"{'holds' if row.holds(result['ratio']) else 'missed'} | "
        f"{_number(result['ours'])} {result['unit']} | {_number(result['peer'])} | "
        f"{'' if result['peak'] is None else format(result['peak'], '.0%')} | {memory + ' MB' if memory else ''} |"
    )


def _section(row: Row, entry: Entry) -> list[str]:
    """What else was measured of a row."""
    lines = [f"## {row.name}", "", f"{row.title}, against {row.against}."]
    if "result" not in entry:
        return [*lines, "", _absence(entry), ""]
    result = entry["result"]
    lines[-1] += f" Measured {entry['date']} at {entry.get('commit') or 'an unknown commit'}, in {entry['took']:.0f} s."
    if result["note"]:
        lines += ["", f"{result['note'][0].upper()}{result['note'][1:]}."]
    if result["variants"]:
        lines += ["", f"| variant | {result['unit']} |", "| --- | ---: |"]
        lines += [f"| {name} | {_number(value)} |" for name, value in result["variants"].items()]
    return [*lines, ""]


def _absence(entry: Entry) -> str:
    if "missing" in entry:
        return f"peer missing ({entry['missing']})"
    return f"failed ({entry['failed']})" if "failed" in entry else "not measured"


def _bound(row: Row) -> str:
    return f"{'<=' if row.at_most else '>='} {row.target:g}"


def _number(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def _draw(rows: Sequence[Row], entries: Mapping[str, Entry]) -> None:
    """Bars of the measured ratios on a logarithmic axis, a line at each target; rows with an upper bound are left out."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    shown = [row for row in rows if "result" in entries.get(row.name, {}) and not row.at_most][::-1]
    figure = Figure(figsize=(9, 0.42 * len(shown) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(shown):
        ratio = entries[row.name]["result"]["ratio"]
        axes.barh(place, ratio, height=0.62, color="#3b6fb6" if row.holds(ratio) else "#b9c7dc")
        axes.plot([row.target] * 2, [place - 0.4, place + 0.4], color="#d1495b", linewidth=2)
        end = (max(ratio, row.target), place)
        axes.annotate(f"{ratio:.3g}", end, (5, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(shown)), [f"{row.name}: {row.against}" for row in shown], fontsize=8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color="#888888", linewidth=0.8)
    axes.set_xlabel("peer's time / ours (red: what the row must show; pale: missed)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(_FIGURE, dpi=110)
