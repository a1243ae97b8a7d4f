"""The Keras text of the layer that has a vector for each category of a table's columns."""

from collections.abc import Iterator

from hpsearch.export.recipe import Recipe


def column_parts(recipe: Recipe, spread: str, penalty: str) -> Iterator[str]:
    """The parts of what the layers get: features as they are, and of those that number categories a vector."""
    columns, rate = iter(recipe.embedded), recipe.rate("input_dropout")
    dropout = f"keras.layers.Dropout({rate!r})" if rate else ""
    regularizer = f", embeddings_regularizer={penalty}" if recipe["l1"] or recipe["l2"] else ""
    yield "    def vectors(count, units):"
    yield "        inputs = outputs = units"
    yield ""
    yield "        def initial(shape, dtype=None):"
    yield "            known = keras.ops.cast(keras.ops.arange(count)[:, None] > 0, dtype)"
    yield f"            return known * keras.random.normal(shape, stddev={spread}, dtype=dtype)"
    yield ""
    yield f"        return keras.layers.Embedding(count, units, embeddings_initializer=initial{regularizer})"
    yield ""
    yield f"    x = keras.Input(({recipe.inputs},))"
    yield "    parts = ["
    for part in recipe.parts():
        if part is None:
            place, count, units = next(columns)
            number = f"x[:, {place}]"
            stays = f" * keras.ops.sign({dropout}(keras.ops.ones_like({number})))" if rate else ""
            yield f"        vectors({count}, {units})({number}{stays}),"
        else:
            numbers = "x[:, {}:{}]".format(*part)
            yield f"        {dropout}({numbers})," if rate else f"        {numbers},"
    yield "    ]"
