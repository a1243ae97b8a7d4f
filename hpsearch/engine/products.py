"""Matrix products of K networks, cut into pieces that BLAS multiplies fastest.

For small products OpenBLAS has kernels that read the matrices where they lie; above a size it first copies both
into blocks, which for a batch's few rows costs as much as the product itself. So a product above that size is
computed in pieces of columns below it. How it is cut follows from the shapes alone: a network's numbers have the
same bits whoever trains beside it. Processors without such kernels lose a few per cent by it.
"""

from typing import Final

from numpy.lib.stride_tricks import as_strided

from hpsearch.engine.arrays import Array

SMALL: Final = 100**3
"""Multiplications of one product up to which OpenBLAS 0.3 takes its small kernels."""

SMALL_TURNED: Final = 1200
"""Numbers in a result up to which it does so when the right factor is read transposed."""

TURNED_STEP: Final = 16
"""The transposed kernel goes over this many products at once, and lost ground on what was left over."""

TURNED_WORTHWHILE: Final = 32
"""Columns in a transposed piece from which it is no slower than transposing a small factor first."""

WIDTHS: Final = (64, 32, 16)
"""Columns of a piece, to choose from: whole registers."""


def piece_width(rows: int, inner: int, columns: int) -> int:
    """Columns of a piece of (rows, inner) @ (inner, columns); all of them where cutting gains nothing."""
    if rows * inner * columns <= SMALL:
        return columns
    return next((width for width in WIDTHS[:2] if rows * inner * width <= SMALL), columns)


def turned_piece_width(rows: int, inner: int, columns: int) -> int:
    """The same for a right factor that lies transposed in memory; 0 where the small kernels do not serve."""
    if inner % TURNED_STEP:
        return 0
    fits = (width for width in WIDTHS if rows * width <= SMALL_TURNED and rows * inner * width <= SMALL)
    return min(columns, next(fits, 0))


def pieces(left: Array, right: Array, out: Array, width: int) -> list[tuple[Array, Array, Array]]:
    """The arguments of the `np.matmul` calls that compute `out = left @ right` for stacks of K matrices."""
    columns = right.shape[2]
    if width >= columns:
        return [(left, right, out)]
    cut = columns // width * width
    calls = [(left[:, None], _split(right[..., :cut], width), _split(out[..., :cut], width))]
    if cut < columns:
        calls.append((left, right[..., cut:], out[..., cut:]))
    return calls


def _split(matrices: Array, width: int) -> Array:
    """(K, M, pieces x width) -> (K, pieces, M, width), in the same memory."""
    rows, height, columns = matrices.shape
    to_row, down, right = matrices.strides
    shape, strides = (rows, columns // width, height, width), (to_row, width * right, down, right)
    return as_strided(matrices, shape, strides)
