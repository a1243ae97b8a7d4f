"""The source text of a recipe in Keras 3: the same network, initial spread, loss, penalties, optimizer and schedule.

Where Keras' optimizers differ from PyTorch's and ours, it is in where epsilon stands, and beyond the digits of a curve.
"""

from collections.abc import Iterator
from typing import Final

from hpsearch.export.keras_columns import column_parts
from hpsearch.export.keras_layers import activation_text, layered_network
from hpsearch.export.recipe import Recipe, module_text

_SPREADS: Final = {
    "zeros": "0.0",
    "xavier": "(2 / (inputs + outputs)) ** 0.5",
    "he": "(2 / inputs) ** 0.5",
    "lecun": "(1 / inputs) ** 0.5",
}
_MOMENTUM: Final = '''\
class Momentum(keras.optimizers.Optimizer):
    """Velocity gathers gradients, and the present learning rate applies to all of it; in Keras' SGD old rates stay."""

    def build(self, variables):
        super().build(variables)
        self.velocities = [self.add_variable_from_reference(variable, "velocity") for variable in variables]

    def update_step(self, gradient, variable, learning_rate):
        velocity = self.velocities[self._get_variable_index(variable)]
        self.assign(velocity, {momentum} * velocity + gradient)
        self.assign_sub(variable, keras.ops.cast(learning_rate, variable.dtype) * ({step}))

'''
_TRAIN: Final = '''
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate by the number of steps so far."""

    def __init__(self, steps):
        self.steps = steps
        self.rates = keras.ops.convert_to_tensor(
            [learning_rate(epoch, step, steps) for epoch in range({epochs}) for step in range(steps)], "float32"
        )

    def __call__(self, step):
        last = keras.ops.minimum(keras.ops.cast(step, "int32"), self.rates.shape[0] - 1)
        return keras.ops.take(self.rates, last)


class LossAfterEpoch(keras.callbacks.Callback):
    """The loss on all rows after each epoch, without dropout and penalties."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y, self.losses = x, y, []

    def on_epoch_end(self, epoch, logs=None):
        outputs = self.model(self.x, training=False)
        self.losses.append(float(keras.ops.stop_gradient(make_loss(smoothing=0.0)(self.y, outputs))))


def train(network, x, y, epochs={epochs}, batch_size={batch_size}):
    """Train on features {rows} and targets; the loss on all rows after each epoch, without dropout."""
    network.compile(make_optimizer(Schedule(-(-len(x) // batch_size))), make_loss())
    measured = LossAfterEpoch(x, y)
    network.fit(x, y, batch_size=batch_size, epochs=epochs, shuffle=True, verbose=0, callbacks=[measured])
    return measured.losses
'''


def keras_source(recipe: Recipe) -> str:
    """A Python module with `build()`, `make_optimizer(rate)`, `learning_rate(...)` and `train(network, x, y)`.

    Raises:
        InputError: Keras cannot say it, and why.
    """
    return module_text(
        recipe,
        "Keras 3",
        targets=_targets(recipe),
        imports=("import keras",),
        parts=(_network(recipe), _loss(recipe), _optimizer(recipe)),
        training=_TRAIN.format(epochs=recipe["epochs"], batch_size=recipe["batch_size"], rows=recipe.rows),
    )


def _targets(recipe: Recipe) -> str:
    return {
        "cross_entropy": f"one column a class, (N, {recipe.outputs}) float32: `keras.utils.to_categorical(ids)`",
        "binary_cross_entropy": "0.0 and 1.0, (N, 1) float32",
    }.get(recipe["loss"], f"scaled numbers (N, {recipe.outputs}) float32: `model.task.encode(targets)`")


def _network(recipe: Recipe) -> Iterator[str]:
    if recipe.hidden is None:
        yield from layered_network(recipe)
    else:
        yield from _fully_connected(recipe)


def _fully_connected(recipe: Recipe) -> Iterator[str]:
    spread = _SPREADS.get(recipe["initializer"], repr(recipe["initial_scale"]))
    penalty = f"keras.regularizers.L1L2(l1={recipe['l1']!r}, l2={recipe['l2'] / 2!r})"
    bound = (
        "None" if recipe["max_norm"] is None else f"keras.constraints.MaxNorm({recipe['max_norm']!r}, axis=0)"
    )
    activation = activation_text(recipe["activation"])
    yield "def dense(inputs, outputs):"
    yield '    """A layer with its initial weights and penalties."""'
    yield "    return keras.layers.Dense("
    yield "        outputs,"
    yield f"        kernel_initializer=keras.initializers.RandomNormal(stddev={spread}),"
    if recipe["l1"] or recipe["l2"]:
        yield f"        kernel_regularizer={penalty},"
    yield f"        kernel_constraint={bound},"
    yield "    )"
    yield ""
    yield ""
    yield "def build():"
    yield '    """The network with its initial weights."""'
    if recipe.embedded:
        yield from column_parts(recipe, spread, penalty)
    yield "    return keras.Sequential(["
    yield f"        keras.Input(({recipe.inputs},)),"
    if recipe.embedded:
        yield "        keras.Model(x, keras.layers.Concatenate()(parts)),"
    if recipe.rate("input_dropout") and not recipe.embedded:
        yield f"        keras.layers.Dropout({recipe.rate('input_dropout')!r}),"
    for before, behind in zip(recipe.sizes[:-2], recipe.sizes[1:-1], strict=True):
        yield f"        dense({before}, {behind}),"
        yield f"        {activation},"
        if recipe.rate("dropout"):
            yield f"        keras.layers.Dropout({recipe.rate('dropout')!r}),"
    yield f"        dense({recipe.sizes[-2]}, {recipe.sizes[-1]}),"
    yield "    ])"


def _loss(recipe: Recipe) -> Iterator[str]:
    yield f"def make_loss(smoothing={recipe['label_smoothing']!r}):"
    yield '    """What is minimized, the mean over a batch."""'
    match recipe["loss"]:
        case "cross_entropy":
            yield "    return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)"
        case "binary_cross_entropy":
            yield "    return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)"
        case "huber":
            yield f"    return keras.losses.Huber(delta={recipe['huber_delta']!r})"
        case other:
            yield f"    return keras.losses.{'MeanSquaredError' if other == 'mse' else 'MeanAbsoluteError'}()"


def _optimizer(recipe: Recipe) -> Iterator[str]:
    h = recipe.settings
    adam = f"beta_1={h['beta1']!r}, beta_2={h['beta2']!r}, epsilon={h['epsilon']!r}"
    name, settings = {
        "sgd": ("SGD", ""),
        "momentum": ("Momentum", ""),
        "nesterov": ("Momentum", ""),
        "adagrad": ("Adagrad", f"initial_accumulator_value=0.0, epsilon={h['epsilon']!r}"),
        "rmsprop": ("RMSprop", f"rho={h['rho']!r}, epsilon={h['epsilon']!r}"),
        "adam": ("Adam", adam),
        "adamw": ("AdamW", f"{adam}, weight_decay={h['weight_decay']!r}"),
    }[h["optimizer"]]
    clipped = "" if h["clip_norm"] is None else f"global_clipnorm={h['clip_norm']!r}"
    arguments = ", ".join(filter(None, ["rate", settings, clipped]))
    if name == "Momentum":
        step = "gradient + {0} * velocity" if h["optimizer"] == "nesterov" else "velocity"
        yield _MOMENTUM.format(momentum=repr(h["momentum"]), step=step.format(repr(h["momentum"])))
    yield "def make_optimizer(rate):"
    yield '    """The optimizer; biases are not decayed."""'
    owner = "" if name == "Momentum" else "keras.optimizers."
    yield f"    optimizer = {owner}{name}({arguments})"
    if name == "AdamW":
        names = '["bias"]' if recipe.hidden is not None else '["bias", "gamma", "beta"]'
        yield f"    optimizer.exclude_from_weight_decay(var_names={names})"
    yield "    return optimizer"
