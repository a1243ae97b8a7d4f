"""One product of a convolution, with the copies that make its matrix and the sums that take it apart."""

from dataclasses import dataclass

import numpy as np

from hpsearch.engine.arrays import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is computed at once: some lines of all images, of some networks (k), in p places and G groups."""

    matrix: Array
    """(k, G, D + 1, p), what is unfolded and a row of ones"""
    copies: tuple[tuple[Array, Array], ...]
    """for each tap its part of the matrix, and where it comes from"""
    blanks: tuple[Array, ...]
    """parts of the matrix that meet zeros, and are overwritten meanwhile"""
    weight: Array
    """(k, G, O, D + 1)"""
    outputs: Array
    """(k, G, O, p)"""
    delta: Array
    """(k, G, O, p)"""
    gradient: Array
    """(k, G, D + 1, O)"""
    partial: Array | None
    """the same as scratch, where it is added to what other lines gave"""
    folded: Array
    """(k, G, D, p), the gradient of the matrix"""
    sums: tuple[tuple[Array, Array], ...]
    """for each tap its part of that, and where it is added to"""

    def unfold(self) -> None:
        """Fill the matrix."""
        for blank in self.blanks:
            blank.fill(0)
        for part, source in self.copies:
            np.copyto(part, source)

    def forward(self) -> None:
        """Compute z = W' [x, 1]."""
        np.matmul(self.weight, self.matrix, out=self.outputs)

    def learn(self) -> None:
        """Compute dW = [x, 1] dz'."""
        backwards = self.delta.swapaxes(2, 3)
        if self.partial is None:
            np.matmul(self.matrix, backwards, out=self.gradient)
        else:
            np.matmul(self.matrix, backwards, out=self.partial)
            np.add(self.gradient, self.partial, self.gradient)

    def fold(self) -> None:
        """Compute dx = W dz, added up over the taps."""
        np.matmul(self.weight[..., :-1].swapaxes(2, 3), self.delta, out=self.folded)
        for part, place in self.sums:
            np.add(place, part, place)
