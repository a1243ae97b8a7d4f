"""What dense layers keep of the buffers that they have read is bounded by the buffers, not by how often they read."""

import tracemalloc

import numpy as np
import pytest

from hpsearch.data.prepared import Part
from hpsearch.engine import Cohort, Member
from hpsearch.randomness import Address
from hpsearch.spec.layers import LayerSettings
from tests.support.recipes import recipe

CHUNK, WIDE = 240 * 400 * 4, 400


@pytest.mark.parametrize("input_dropout", [0.0, 0.3])
def test_predicting_many_chunks_takes_the_memory_of_a_few(input_dropout):
    """With batch normalization, which takes another way than plain dense networks."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((240 * 40, WIDE)).astype(np.float32)
    layers = (
        LayerSettings.of("dense", units=8, activation="identity", initializer="he"),
        LayerSettings.of("batch_normalization", momentum=0.9, epsilon=1e-5),
        LayerSettings.of("activation", function="relu"),
    )
    h = recipe(layers=layers, batch_size=16, input_dropout=input_dropout)
    part = Part(x=x[:64], y=np.zeros(64, np.int32))
    cohort = Cohort([Member(h, Address(seed=0, trial=0))], part, outputs=2)
    cohort.train_epoch()
    first = cohort.predict(x[:240]).copy()
    tracemalloc.start()
    try:
        whole = cohort.predict(x)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * CHUNK
    assert np.array_equal(whole[:, :240], first)
