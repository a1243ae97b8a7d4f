"""The PyTorch text of the layer that has a vector for each category of a table's columns."""

from collections.abc import Iterator

from hpsearch.export.recipe import Recipe


def columns_layer(recipe: Recipe) -> Iterator[str]:
    """The layer that has a vector for each category."""
    numbers = iter(range(len(recipe.embedded)))
    yield "class Columns(nn.Module):"
    yield '    """Features as they are, and of those that number categories a vector."""'
    yield ""
    yield "    def __init__(self):"
    yield "        super().__init__()"
    sizes = ", ".join(f"nn.Embedding({vectors}, {units})" for _, vectors, units in recipe.embedded)
    yield f"        self.vectors = nn.ModuleList([{sizes}])"
    yield ""
    yield "    def forward(self, x):"
    if rate := recipe.rate("input_dropout"):
        yield "        if self.training:  # a category that is dropped becomes an unknown one"
        yield f"            stays = (torch.rand_like(x) >= {rate!r}).float()"
        yield f"            scale = torch.full((x.shape[1],), {1 / (1 - rate)!r})"
        yield f"            scale[{[place for place, _, _ in recipe.embedded]}] = 1.0"
        yield "            x = x * stays * scale"
    places = ", ".join(str(place) for place, _, _ in recipe.embedded)
    yield f"        vectors = [layer(x[:, place].long()) for layer, place in zip(self.vectors, [{places}])]"
    parts = [
        f"vectors[{next(numbers)}]" if part is None else "x[:, {}:{}]".format(*part)
        for part in recipe.parts()
    ]
    yield f"        return torch.cat([{', '.join(parts)}], dim=1)"
    yield ""
    yield ""


def initial_vectors(spread: str) -> Iterator[str]:
    """The lines that draw the vectors of the first layer, with a spread in terms of `units`; unknown is zero."""
    yield "    for layer in network[0].vectors:"
    yield "        units = layer.embedding_dim"
    yield f"        nn.init.normal_(layer.weight, std={spread})"
    yield "        nn.init.zeros_(layer.weight[0])"
