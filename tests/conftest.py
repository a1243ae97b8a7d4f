"""Settings that hold for all tests."""

import os

# Law 1 holds bit for bit with one BLAS thread, which is what workers have; set before numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
