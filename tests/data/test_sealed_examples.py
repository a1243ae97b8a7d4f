"""Rows of the test part as people see them: pictures and series drawn, tables told in the columns that matter."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hpsearch.data.gallery import grid_of, picture_of_series
from hpsearch.data.sealed import SealedTest
from hpsearch.data.tables import TableInputs

ROWS = np.array([2, 0])


def examples(frame, first=()):
    return SealedTest(_inputs=TableInputs(frame), _targets=None).examples(ROWS, first)


def pixels(height, width, head="pixel_"):
    return [f"{head}{row}_{column}" for row in range(height) for column in range(width)]


def test_a_table_of_pixels_is_drawn():
    values = np.arange(3 * 24.0).reshape(3, 24)
    values[2, 5] = np.nan
    drawn = examples(pd.DataFrame(values, columns=pixels(4, 6)))
    assert len(drawn) == len(ROWS)
    image = Image.open(BytesIO(b64decode(drawn[1]["picture"].removeprefix("data:image/png;base64,"))))
    assert (image.size, image.getpixel((0, 0)), image.getpixel((5, 3))) == ((6, 4), 0, 255)


def test_pixels_that_are_no_numbers_are_told_as_they_are():
    frame = pd.DataFrame("red", index=range(3), columns=pixels(4, 4))
    assert examples(frame)[0] == {"inputs": dict.fromkeys(pixels(4, 4), "red")}


def test_of_a_wide_table_the_inputs_that_matter_most_are_told():
    frame = pd.DataFrame(np.arange(3 * 40).reshape(3, 40), columns=[f"x{n}" for n in range(40)])
    first = [f"x{n}" for n in range(39, -1, -1)]
    assert examples(frame, first) == [
        {"inputs": {f"x{n}": 40 * row + n for n in range(39, 29, -1)}} for row in ROWS
    ]
    assert not any(examples(frame))
    assert examples(frame.iloc[:, :30], first)[0]["inputs"] == {f"x{n}": 80 + n for n in range(30)}


@pytest.mark.parametrize(
    ("columns", "grid"),
    [
        (pixels(8, 8), (8, 8)),
        ([f"{row}x{column}" for row in range(1, 5) for column in range(1, 8)], (4, 7)),
        (pixels(8, 8)[1:], None),
        (pixels(8, 8)[::-1], None),
        (pixels(4, 4) + pixels(4, 4, "other_"), None),
        (pixels(2, 2), None),
        ([f"day_{n}" for n in range(64)], None),
        ([], None),
    ],
)
def test_an_image_is_told_by_the_names_of_its_columns(columns, grid):
    assert grid_of(columns) == grid


def test_a_series_is_drawn():
    address = picture_of_series(np.array([[0.0, 5.0], [1.0, np.nan], [4.0, 6.0]]))
    drawn = b64decode(address.removeprefix("data:image/svg+xml;base64,")).decode()
    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert drawn.count("<polyline") == 2
