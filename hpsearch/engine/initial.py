"""The parameters that a network starts with, drawn from its own stream."""

from collections.abc import Sequence

from hpsearch.engine.arrays import Array
from hpsearch.engine.initializers import initial, orthogonal
from hpsearch.engine.member import Member
from hpsearch.engine.plan import Plan
from hpsearch.spec.layers import LayerSettings


def draw_initial(row: Array, plan: Plan, member: Member, settings: Sequence[LayerSettings]) -> None:
    """Write the (P,) parameters that a member starts with; `settings` are its layers by the plan's indices."""
    generator = member.address.stream("initial")
    for node in plan.all_nodes():
        for block in node.blocks:
            trained, name = block.trained, settings[node.index].get("initializer", "normal")
            scale = member.hyperparameters.initial_scale
            row[block.biases] = trained.bias
            if trained.orthogonal:
                block.weights_of(row)[:] = orthogonal(trained.weights, generator)
            elif trained.weights[0]:
                block.weights_of(row)[:] = initial(
                    name, trained.weights, fans=trained.fans, scale=scale, generator=generator
                )
            if trained.padded or trained.blank:
                block.weights_of(row)[0] = 0
