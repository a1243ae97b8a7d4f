"""Products in pieces are the products; the pieces follow from the shapes alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.engine.products import SMALL, piece_width, pieces, turned_piece_width

shapes = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9), st.integers(1, 40))


@given(shapes, st.integers(1, 41), st.booleans())
@settings(deadline=None, max_examples=60)
def test_pieces_of_any_width_make_the_whole_product(shape, width, turned):
    rows, height, inner, columns = shape
    rng = np.random.default_rng(0)
    left = rng.standard_normal((rows, height, inner))
    right = rng.standard_normal((rows, inner, columns))
    if turned:
        right = np.ascontiguousarray(right.transpose(0, 2, 1)).transpose(0, 2, 1)
    frame = np.zeros((rows, height, columns + 1))
    for factors in pieces(left, right, frame[..., :-1], width):
        np.matmul(*factors)
    np.testing.assert_allclose(frame[..., :-1], left @ right, rtol=1e-12, atol=1e-12)
    assert (frame[..., -1] == 0).all()


def test_a_product_that_is_small_already_is_not_cut():
    assert piece_width(32, 65, 64) == 64
    assert turned_piece_width(16, 64, 64) == 64


@pytest.mark.parametrize(("rows", "inner", "columns"), [(32, 257, 256), (64, 257, 256), (64, 301, 100)])
def test_a_large_one_is_cut_to_a_size_of_the_small_kernels(rows, inner, columns):
    width = piece_width(rows, inner, columns)
    assert width < columns
    assert rows * inner * width <= SMALL


def test_where_no_piece_is_small_enough_nothing_is_cut():
    assert piece_width(64, 785, 300) == 300
    assert turned_piece_width(128, 64, 64) == 0
    assert turned_piece_width(32, 10, 64) == 0
