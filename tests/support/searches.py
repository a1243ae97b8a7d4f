"""Searches without training: a small space, a formula for an objective, the driver's order of calls."""

import math

from hpsearch.search.fact import TrialFact
from hpsearch.search.proposals import Proposals
from tests.support.studies import spec_of

SPACE = """
study: formula
seed: 5
data: {source: sklearn/iris}
space:
  epochs: {min: 2, max: 9}
  batch_size: [16, 32, 64]
  learning_rate: {min: 1e-4, max: 1e-1, log: true}
  optimizer: [sgd, momentum, adam]
  dropout: {min: 0.0, max: 0.5}
  momentum: {min: 0.8, max: 0.99, when: {optimizer: momentum}}
  beta1: {min: 0.8, max: 0.95, when: {optimizer: adam}}
  beta2: {min: 0.9, max: 0.999, when: {optimizer: adam}}
  schedule: cosine
"""


def formula(proposal, *, objectives=1):
    """What a trial would have given: every state comes up, the best learning rate is 1e-2, dropout costs."""
    params = proposal.params
    loss = (
        (math.log10(params.get("learning_rate", 0.01)) + 2) ** 2
        + params["dropout"]
        + params.get("momentum", 0.9)
    )
    kinds = ("complete", "stopped_early", "complete", "pruned", "complete", "diverged", "complete", "failed")
    state = kinds[proposal.number % len(kinds)]
    curve = [loss * (1 + 1 / epoch) for epoch in range(1, params["epochs"] + 1)]
    if state == "diverged":
        curve[-1] = math.nan
    return TrialFact(
        number=proposal.number,
        params=proposal.params,
        hyperparameters={},
        state=state,
        reason="the formula says so",
        values=(curve[-1], 1.0 / loss)[:objectives] if state in ("complete", "stopped_early") else None,
        curves={} if state == "failed" else {"validation_loss": tuple(curve)},
        scores={},
        distributions=proposal.distributions,
    )


def search(text, trials, *, known=(), window=3, depth=2, outcome=formula, **changes):
    """The table of a search: windows are proposed `depth` ahead of what is told, as the driver does it."""
    spec = spec_of(text, **changes)
    proposals, facts = Proposals(spec), {fact.number: fact for fact in known}
    table, under_way, first = [], [], 0
    while first < trials or under_way:
        if first < trials and len(under_way) < depth:
            numbers = range(first, min(first + window, trials))
            under_way.append(proposals.propose(numbers, facts))
            first += window
            trials = trials if len(under_way[-1]) == len(numbers) else 0  # the space is exhausted
            continue
        for proposal in under_way.pop(0):
            fact = facts.get(proposal.number) or outcome(proposal, objectives=len(spec.objectives)).rounded()
            proposals.tell(fact)
            table.append(fact)
    return table
