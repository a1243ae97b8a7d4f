"""The source text of a recipe in PyTorch: the same network, initial spread, loss, penalties, optimizer and schedule."""

from collections.abc import Iterator
from typing import Final

from hpsearch.export.recipe import Recipe, module_text
from hpsearch.export.torch_columns import columns_layer, initial_vectors
from hpsearch.export.torch_layers import ACTIVATIONS, layered_network

_SPREADS: Final = {
    "zeros": "0.0",
    "xavier": "(2 / (layer.in_features + layer.out_features)) ** 0.5",
    "he": "(2 / layer.in_features) ** 0.5",
    "lecun": "(1 / layer.in_features) ** 0.5",
}
_TRAIN: Final = '''
def train(network, x, y, epochs={epochs}, batch_size={batch_size}):
    """Train on features {rows} and targets; the loss on all rows after each epoch, without dropout."""
    loss, optimizer, losses = make_loss(), make_optimizer(network), []
    weights = {chosen}
    steps = -(-len(x) // batch_size)
    for epoch in range(epochs):
        network.train()
        for step, rows in enumerate(torch.randperm(len(x)).split(batch_size)):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(epoch, step, steps)
            optimizer.zero_grad()
            loss(network(x[rows]), y[rows]).backward()
{penalties}            optimizer.step()
{bounds}        network.eval()
        with torch.no_grad():
            losses.append({measured}(network(x), y).item())
    return losses
'''


def torch_source(recipe: Recipe) -> str:
    """A Python module with `build()`, `make_optimizer(network)`, `learning_rate(...)` and `train(network, x, y)`."""
    measured = "make_loss()" if not recipe["label_smoothing"] else "make_loss(smoothing=0.0)"
    return module_text(
        recipe,
        "PyTorch",
        targets=_targets(recipe),
        imports=("import torch", "from torch import nn"),
        parts=(_network(recipe), _loss(recipe), _optimizer(recipe)),
        training=_TRAIN.format(
            epochs=recipe["epochs"],
            batch_size=recipe["batch_size"],
            rows=recipe.rows,
            chosen=_chosen(recipe, "weight"),
            penalties="".join(f"            {line}\n" for line in _penalties(recipe)),
            bounds="".join(f"            {line}\n" for line in _bounds(recipe)),
            measured=measured,
        ),
    )


def _targets(recipe: Recipe) -> str:
    return {
        "cross_entropy": "class numbers (N,), int64",
        "binary_cross_entropy": "0.0 and 1.0, (N, 1) float32",
    }.get(recipe["loss"], f"scaled numbers (N, {recipe.outputs}) float32: `model.task.encode(targets)`")


def _network(recipe: Recipe) -> Iterator[str]:
    if recipe.hidden is None:
        yield from layered_network(recipe)
    else:
        yield from _fully_connected(recipe)


def _fully_connected(recipe: Recipe) -> Iterator[str]:
    activation, rate = ACTIVATIONS.get(recipe["activation"]), recipe.rate("dropout")
    if recipe.embedded:
        yield from columns_layer(recipe)
    yield "def build():"
    yield '    """The network with its initial weights."""'
    yield "    network = nn.Sequential("
    if recipe.embedded:
        yield "        Columns(),"
    if recipe.rate("input_dropout") and not recipe.embedded:
        yield f"        nn.Dropout({recipe.rate('input_dropout')!r}),"
    for before, behind in zip(recipe.sizes[:-2], recipe.sizes[1:-1], strict=True):
        yield f"        nn.Linear({before}, {behind}),"
        if activation:
            yield f"        {activation},"
        if rate:
            yield f"        nn.Dropout({rate!r}),"
    yield f"        nn.Linear({recipe.sizes[-2]}, {recipe.sizes[-1]}),"
    yield "    )"
    yield "    for layer in network:"
    yield "        if isinstance(layer, nn.Linear):"
    spread = _SPREADS.get(recipe["initializer"], repr(recipe["initial_scale"]))
    yield f"            nn.init.normal_(layer.weight, std={spread})"
    yield "            nn.init.zeros_(layer.bias)"
    if recipe.embedded:
        yield from initial_vectors(
            spread.replace("layer.in_features", "units").replace("layer.out_features", "units")
        )
    yield "    return network"


def _loss(recipe: Recipe) -> Iterator[str]:
    smoothing = recipe["label_smoothing"]
    yield f"def make_loss(smoothing={smoothing!r}):"
    yield '    """What is minimized, the mean over a batch."""'
    match recipe["loss"]:
        case "cross_entropy":
            yield "    return nn.CrossEntropyLoss(label_smoothing=smoothing)"
        case "binary_cross_entropy":
            yield "    loss = nn.BCEWithLogitsLoss()"
            yield "    return lambda outputs, y: loss(outputs, y * (1 - smoothing) + smoothing / 2)"
        case "huber":
            yield f"    return nn.HuberLoss(delta={recipe['huber_delta']!r})"
        case other:
            yield f"    return nn.{'MSELoss' if other == 'mse' else 'L1Loss'}()"


def _optimizer(recipe: Recipe) -> Iterator[str]:
    h = recipe.settings
    rate = f"lr={h['learning_rate']!r}"
    adam = f"{rate}, betas=({h['beta1']!r}, {h['beta2']!r}), eps={h['epsilon']!r}"
    made = {
        "sgd": f"SGD(groups, {rate})",
        "momentum": f"SGD(groups, {rate}, momentum={h['momentum']!r})",
        "nesterov": f"SGD(groups, {rate}, momentum={h['momentum']!r}, nesterov=True)",
        "adagrad": f"Adagrad(groups, {rate}, eps={h['epsilon']!r})",
        "rmsprop": f"RMSprop(groups, {rate}, alpha={h['rho']!r}, eps={h['epsilon']!r})",
        "adam": f"Adam(groups, {adam})",
        "adamw": f"AdamW(groups, {adam})",
    }[h["optimizer"]]
    decay = h["weight_decay"] if h["optimizer"] == "adamw" else 0.0
    yield "def make_optimizer(network):"
    yield '    """The optimizer; biases are not decayed."""'
    yield "    groups = ["
    for kind, strength in (("weight", decay), ("bias", 0.0)):
        yield f'        {{"params": {_chosen(recipe, kind)}, "weight_decay": {strength!r}}},'
    yield "    ]"
    yield f"    return torch.optim.{made}"


def _chosen(recipe: Recipe, kind: str) -> str:
    """The expression of all weights, or of all biases, to which gains of layered networks count."""
    if recipe.hidden is None:
        return f"[p for p in network.parameters() if p.dim() {'>' if kind == 'weight' else '=='} 1]"
    return f'[p for name, p in network.named_parameters() if name.endswith("{kind}")]'


def _penalties(recipe: Recipe) -> Iterator[str]:
    if recipe["l2"]:
        yield "for weight in weights:"
        yield f"    weight.grad.add_(weight.detach(), alpha={recipe['l2']!r})  # L2"
    if recipe["l1"]:
        yield "for weight in weights:"
        yield f"    weight.grad.add_(weight.detach().sign(), alpha={recipe['l1']!r})  # L1"
    if recipe["clip_norm"] is not None:
        yield f"nn.utils.clip_grad_norm_(network.parameters(), {recipe['clip_norm']!r})"


def _bounds(recipe: Recipe) -> Iterator[str]:
    if recipe["max_norm"] is None:
        return
    if recipe.hidden is None:
        yield "for layer in network.modules():"
        yield "    for weight in [] if isinstance(layer, nn.Embedding) else layer.parameters(recurse=False):"
        yield "        if weight.dim() > 1:"
        yield "            norms = weight.detach().flatten(1).norm(dim=1)"
        yield f"            weight.data.transpose(0, -1).mul_(({recipe['max_norm']!r} / norms).clamp(max=1.0))"
        return
    bounded = "weights[len(network[0].vectors):]" if recipe.embedded else "weights"
    yield f"for weight in {bounded}:"
    yield "    norms = weight.detach().norm(dim=1, keepdim=True)"
    yield f"    weight.data.mul_(({recipe['max_norm']!r} / norms).clamp(max=1.0))"
