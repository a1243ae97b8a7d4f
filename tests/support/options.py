"""Small data of every form that a study can name."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

ROWS = 60


def write_all(base: Path) -> None:
    """Write pictures, series, texts and tables, in every form, into a directory."""
    random = np.random.default_rng(0)
    y = np.arange(ROWS) % 3
    _pictures(base, random, y)
    _arrays(base, random, y)
    for name, dims, ragged in (
        ("uni", 1, False),
        ("multi", 3, False),
        ("ragged", 1, True),
        ("both", 2, True),
    ):
        _series_file(base, name, random, dims=dims, ragged=ragged)
    _series_file(base, "target", random, dims=1, ragged=False, numbers=True)
    _tables(base, random, y)


def _pictures(base, random, y):
    for form, color in (("png", "gray"), ("png", "rgb"), ("jpg", "gray"), ("jpg", "rgb")):
        for i in range(ROWS):
            pixels = (random.integers(0, 200, (8, 8, 3)) + y[i] * 20).astype(np.uint8)
            _picture(
                base / f"{form}_{color}" / "abc"[y[i]] / f"{i}.{form}",
                pixels if color == "rgb" else pixels[..., 0],
            )
    for i in range(ROWS):
        pixels = random.integers(0, 255, (6 + i % 5, 7 + i % 3, 3), dtype=np.uint8)
        _picture(base / "sizes" / "abc"[y[i]] / f"{i}.png", pixels)
    for part, count in (("train", 40), ("val", 10), ("test", 10)):
        for i in range(count):
            _picture(
                base / "parts" / part / "ab"[i % 2] / f"{i}.png",
                random.integers(0, 255, (8, 8), dtype=np.uint8),
            )
    files = sorted(base.glob("png_rgb/*/*.png"))
    listed = {"file": [str(f.relative_to(base)) for f in files], "label": [f.parent.name for f in files]}
    pd.DataFrame({**listed, "who": np.arange(ROWS) % 10}).to_csv(base / "pictures.csv", index=False)


def _picture(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _arrays(base, random, y):
    np.savez(base / "images.npz", x=random.integers(0, 255, (ROWS, 8, 8), dtype=np.uint8), y=y)
    np.savez(base / "images_rgb.npz", x=random.random((ROWS, 8, 8, 3)).astype(np.float32), y=y)
    np.savez(base / "series.npz", x=random.normal(size=(ROWS, 10, 2)), y=y)
    lengths = random.integers(3, 11, ROWS)
    np.savez(base / "ragged.npz", x=random.normal(size=(ROWS, 10, 2)), y=y, lengths=lengths)
    np.savez(base / "table.npz", x=random.normal(size=(ROWS, 4)), y=random.normal(size=(ROWS, 2)))
    for part, count in (("train", ROWS), ("t10k", 20)):
        _idx(base / f"{part}-images-idx3-ubyte.gz", random.integers(0, 255, (count, 8, 8)))
        _idx(base / f"{part}-labels-idx1-ubyte.gz", np.arange(count) % 3)


def _idx(path, array):
    head = struct.pack(">HBB", 0, 8, array.ndim) + b"".join(struct.pack(">I", size) for size in array.shape)
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


def _series_file(base, name, random, *, dims, ragged, numbers=False):
    head = f"@univariate {str(dims == 1).lower()}\n" + (f"@dimensions {dims}\n" if dims > 1 else "")
    head += f"@equalLength {str(not ragged).lower()}\n"
    head += "@targetLabel true\n" if numbers else "@classLabel true a b c\n"
    for part in ("TRAIN", "TEST"):
        lines = []
        for i in range(ROWS):
            steps = int(random.integers(4, 11)) if ragged else 10
            values = [",".join(f"{value:.3f}" for value in random.normal(size=steps)) for _ in range(dims)]
            lines.append(":".join([*values, f"{random.normal():.3f}" if numbers else "abc"[i % 3]]))
        (base / f"{name}_{part}.ts").write_text(
            f"@problemName {name}\n{head}@data\n" + "\n".join(lines) + "\n"
        )


def _tables(base, random, y):
    steps = [
        (s, t, *random.normal(size=2), "ab"[s % 2], s % 8) for s in range(ROWS) for t in range(3 + s % 4)
    ]
    long = pd.DataFrame(steps, columns=["id", "t", "u", "v", "label", "owner"])
    long.sample(frac=1, random_state=0).to_csv(base / "long.csv", index=False)
    days = pd.date_range("2024-01-01", periods=200).strftime("%Y-%m-%d")
    sold = np.sin(np.arange(200) / 5) + 5
    pd.DataFrame({"day": days, "sold": sold, "price": random.random(200)}).to_csv(
        base / "sales.csv", index=False
    )
    words = ["good", "bad", "Fine", "poor", "great", "film", "plot", "a", "the", "was"]
    reviews = [" ".join(random.choice(words, random.integers(1, 9))) + "!" for _ in range(ROWS)]
    pd.DataFrame({"review": reviews, "stars": y}).to_csv(base / "texts.csv", index=False)
    table = pd.DataFrame(
        {
            "a": random.normal(size=200),
            "b": np.exp(random.normal(size=200)),
            "c": random.choice(["x", "y", "z"], 200),
            "many": [f"m{i % 40}" for i in range(200)],
            "flag": random.random(200) < 0.5,
            "when": pd.date_range("2020-01-01", periods=200, freq="37h"),
            "who": [f"p{i % 20}" for i in range(200)],
            "part": ["train"] * 120 + ["validation"] * 40 + ["test"] * 40,
        }
    )
    table.loc[::9, "a"], table.loc[::11, "c"] = np.nan, None
    table["y"] = table["b"] + table["flag"] + random.normal(size=200) * 0.1
    table["y2"], table["yes"] = -table["y"], table["y"] > 1.5
    table["k"] = np.where(table["y"] > 2, "high", np.where(table["y"] > 1, "mid", "low"))
    table["hard"] = np.where(np.arange(200) % 10 == 0, "rare", "common")
    table.to_csv(base / "t.csv", index=False)
    table.to_csv(base / "t.tsv", index=False, sep="\t")
    table.to_csv(base / "semicolons.csv", index=False, sep=";", decimal=",")
    table.to_parquet(base / "t.parquet")
    table.to_feather(base / "t.feather")
    table.to_feather(base / "t.arrow")
    table.tail(40).to_csv(base / "later.csv", index=False)
    np.savez(base / "rows.npz", train=np.arange(120), test=np.arange(160, 200))
    rows = {"train": [*range(100)], "validation": [*range(100, 140)], "test": [*range(140, 200)]}
    (base / "rows.json").write_text(json.dumps(rows))
