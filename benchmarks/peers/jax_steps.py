"""JAX: the networks by `vmap`, a step or a whole epoch (`scan`) compiled by `jit`, state donated."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problem import Case

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


class Steps:
    """`loop`: "step" (one call a step) or "scan" (one call an epoch). `generator`: "threefry2x32" or "rbg"."""

    def __init__(self, *, case: dict[str, Any], networks: int, epochs: int, loop: str, generator: str) -> None:
        self.case, self.networks, self.epochs, self.loop = Case(**case), networks, epochs, loop
        x, y = self.case.data()
        self.x, self.y = jnp.asarray(x), jnp.asarray(y)
        self.rng = np.random.default_rng(0)
        self.key = jax.random.key(0, impl=generator)
        weights = [(jnp.asarray(w), jnp.zeros((networks, w.shape[2]))) for w in self.case.initial(networks)]
        zeros = jax.tree.map(jnp.zeros_like, weights)
        self.state = (weights, zeros, jax.tree.map(jnp.zeros_like, weights), jnp.zeros((), jnp.int32))
        self.step = jax.jit(partial(_step, case=self.case), donate_argnums=0)
        self.scan = jax.jit(partial(_epoch, case=self.case), donate_argnums=0)
        self.repeat()  # compiles

    def repeat(self) -> None:
        shape = (self.networks, self.case.steps, self.case.batch)
        for _ in range(self.epochs):
            order = self.rng.permuted(np.tile(np.arange(len(self.x), dtype=np.int32), (self.networks, 1)), axis=1)
            order = order.reshape(shape).swapaxes(0, 1)
            self.key, key = jax.random.split(self.key)
            if self.loop == "scan":
                self.state = self.scan(self.state, order, key, self.x, self.y)
                continue
            for step, rows in enumerate(order):
                self.state = self.step(self.state, rows, jax.random.fold_in(key, step), self.x, self.y)
        jax.block_until_ready(self.state)

    def report(self) -> dict[str, Any]:
        loss = jax.vmap(partial(_loss, case=self.case), in_axes=(0, None, None, None))
        return {"loss": float(loss(self.state[0], self.x, self.y, None).mean())}


def _loss(weights: Any, x: jax.Array, y: jax.Array, key: jax.Array | None, *, case: Case) -> jax.Array:
    """The mean cross entropy of one network; without a key, without dropout."""
    keep = 1 - case.dropout
    for layer, (weight, bias) in enumerate(weights[:-1]):
        x = jax.nn.relu(x @ weight + bias)
        if key is not None:
            mask = jax.random.bernoulli(jax.random.fold_in(key, layer), keep, x.shape)
            x = jnp.where(mask, x / keep, 0)
    weight, bias = weights[-1]
    logits = jax.nn.log_softmax(x @ weight + bias)
    return -jnp.take_along_axis(logits, y[:, None], axis=1).mean()


def _step(state: Any, rows: jax.Array, key: jax.Array, x: jax.Array, y: jax.Array, *, case: Case) -> Any:
    """One step of Adam with L2 for all networks."""
    weights, first, second, count = state
    gradient = jax.vmap(jax.grad(partial(_loss, case=case)))
    gradients = gradient(weights, x[rows], y[rows], jax.random.split(key, len(rows)))
    count += 1
    correction1, correction2 = 1 - _BETA1**count, 1 - _BETA2**count
    gradients = [(gw + case.l2 * w, gb) for (gw, gb), (w, _) in zip(gradients, weights, strict=True)]
    first = jax.tree.map(lambda m, g: _BETA1 * m + (1 - _BETA1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: _BETA2 * v + (1 - _BETA2) * g * g, second, gradients)
    weights = jax.tree.map(
        lambda w, m, v: w - case.learning_rate * (m / correction1) / (jnp.sqrt(v / correction2) + _EPSILON),
        weights, first, second,
    )  # fmt: skip
    return weights, first, second, count


def _epoch(state: Any, order: jax.Array, key: jax.Array, x: jax.Array, y: jax.Array, *, case: Case) -> Any:
    def body(state: Any, step: Any) -> Any:
        rows, key = step
        return _step(state, rows, key, x, y, case=case), None

    return jax.lax.scan(body, state, (order, jax.random.split(key, len(order))))[0]
