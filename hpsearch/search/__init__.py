"""What to try next, and what is known: the only package that imports optuna.

Nothing is imported here: `hpsearch.search.lock` and `hpsearch.search.fact` stay free of optuna's import time.
"""

import warnings

# Optuna imports tqdm for bars that are never shown here; in a notebook that complains of widgets which nobody misses
warnings.filterwarnings("ignore", message="IProgress not found")
