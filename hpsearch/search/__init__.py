"""What to try next, and what is known: the only package that imports optuna.

Nothing is imported here: `hpsearch.search.lock` and `hpsearch.search.fact` stay free of optuna's import time.
"""
