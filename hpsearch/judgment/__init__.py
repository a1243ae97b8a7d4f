"""Pure functions on predictions and curves: scores, early stopping, pruning, diagnosis."""
