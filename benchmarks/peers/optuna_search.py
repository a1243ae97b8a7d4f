"""Optuna + PyTorch + MLflow, everything on SQLite: the search of studies/digits.yaml as an expert would write it.

    python -m benchmarks.peers.optuna_search '{"data": "digits.npz", "seed": 1, "trials": 100, "spawned": 1700000000.0}'

The same data and split (arrays from a file, which saves it the preprocessing), space, network, early stopping and
pruning. Left out, in its favour: the weights of the best epoch, the train loss in evaluation mode, refit and test.
"""

import atexit
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import numpy as np
import optuna
import torch
from torch import nn
from torch.nn import functional as F

_PATIENCE, _MIN_DELTA = 5, 1e-4


def main() -> None:
    """Search, alone or with a second process on the same storage; print JSON as `benchmarks.ours.search` does."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    options = json.loads(sys.argv[1])
    if "directory" in options:  # the second process
        search(options)
        return
    with tempfile.TemporaryDirectory(prefix="optuna-bench-") as directory:
        options["directory"] = directory
        imported = time.time() - options["spawned"]
        optuna.create_study(
            study_name="digits", storage=storage(directory), direction="minimize"
        )
        mlflow.set_tracking_uri(f"sqlite:///{directory}/mlflow.db")
        mlflow.set_experiment("digits")
        opened = time.time() - options["spawned"]
        report = in_processes(options)
        report["moments"] |= {"imported": imported, "opened": opened, "done": time.time() - options["spawned"]}
    print(json.dumps(report))


def in_processes(options: dict[str, Any]) -> dict[str, Any]:
    """Share the trials between the processes, wait for all, read the study."""
    count = options.get("workers", 1)
    share = options | {"trials": -(-options["trials"] // count)}
    others = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers.optuna_search", json.dumps(share | {"seed": options["seed"] + 1000 * i})]
        )
        for i in range(1, count)
    ]
    search(share)
    for other in others:
        if other.wait():
            sys.exit("a second process failed")
    study = optuna.load_study(study_name="digits", storage=storage(options["directory"]))
    best, states, epochs, end = [], {}, 0, 0.0
    for trial in sorted(study.trials, key=lambda trial: trial.datetime_complete):
        end = trial.datetime_complete.timestamp() - options["spawned"]
        states[trial.state.name.lower()] = states.get(trial.state.name.lower(), 0) + 1
        epochs += len(trial.intermediate_values)
        if trial.state.name == "COMPLETE" and (not best or trial.value < best[-1][1]):
            best.append((end, trial.value))
    return {
        "moments": {"searched": end},
        "best": best,
        "trials": len(study.trials),
        "epochs": epochs,
        "states": states,
    }


def storage(directory: str) -> str:
    return f"sqlite:///{directory}/optuna.db"


def search(options: dict[str, Any]) -> None:
    """This process's share of the trials."""
    torch.manual_seed(options["seed"])
    mlflow.set_tracking_uri(f"sqlite:///{options['directory']}/mlflow.db")
    mlflow.set_experiment("digits")
    study = optuna.load_study(
        study_name="digits",
        storage=storage(options["directory"]),
        sampler=optuna.samplers.TPESampler(seed=options["seed"]),
        # steps count from 1: three epochs pass before the first comparison, as in the study file
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=4),
    )
    arrays = np.load(Path(options["data"]))
    data = [torch.from_numpy(arrays[name]) for name in ("train_x", "train_y", "validation_x", "validation_y")]
    study.optimize(
        lambda trial: objective(trial, *data), n_trials=options["trials"], timeout=options.get("timeout")
    )


def objective(trial: optuna.Trial, x: Any, y: Any, validation_x: Any, validation_y: Any) -> float:
    """The best validation loss of one trial, one MLflow run."""
    epochs = trial.suggest_int("epochs", 5, 50)
    batch = trial.suggest_categorical("batch_size", [16, 32, 64, 128])
    model = perceptron(trial.suggest_float("dropout", 0.0, 0.5), x.shape[1])
    optimizer = make_optimizer(trial, model)
    with mlflow.start_run(run_name=f"trial-{trial.number:04d}"):
        mlflow.log_params(trial.params)
        best, waited = float("inf"), 0
        for epoch in range(1, epochs + 1):
            train_loss = train(model, optimizer, x, y, batch)
            loss, accuracy = evaluate(model, validation_x, validation_y)
            mlflow.log_metrics(
                {"train_loss": train_loss, "validation_loss": loss, "validation_accuracy": accuracy}, step=epoch
            )
            if not np.isfinite(loss):
                raise optuna.TrialPruned
            trial.report(loss, epoch)
            waited = 0 if loss < best - _MIN_DELTA else waited + 1
            best = min(best, loss)
            if waited >= _PATIENCE:
                break
            if trial.should_prune():
                mlflow.set_tag("state", "pruned")
                raise optuna.TrialPruned
        mlflow.log_metric("best_validation_loss", best)
    return best


def train(model: nn.Module, optimizer: torch.optim.Optimizer, x: Any, y: Any, batch: int) -> float:
    """One epoch; its mean loss."""
    model.train()
    order, total = torch.randperm(len(x)), torch.zeros(())
    for inputs, targets in zip(x[order].split(batch), y[order].split(batch), strict=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(inputs)
    return float(total) / len(x)


def evaluate(model: nn.Module, x: Any, y: Any) -> tuple[float, float]:
    """Loss and accuracy."""
    model.eval()
    with torch.inference_mode():
        outputs = model(x)
        return float(F.cross_entropy(outputs, y)), float((outputs.argmax(1) == y).float().mean())


def perceptron(dropout: float, inputs: int) -> nn.Sequential:
    """64-64-64-10, He's initial values."""
    model = nn.Sequential(
        nn.Linear(inputs, 64), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(64, 64), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(64, 10),
    )  # fmt: skip
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return model


def make_optimizer(trial: optuna.Trial, model: nn.Module) -> torch.optim.Optimizer:
    """Fused where PyTorch has it on CPU, else its loop over all parameters at once."""
    settings = {
        "lr": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "weight_decay": trial.suggest_float("l2", 1e-6, 1e-1, log=True),
    }
    match trial.suggest_categorical("optimizer", ["sgd", "momentum", "adagrad", "rmsprop", "adam"]):
        case "sgd":
            return torch.optim.SGD(model.parameters(), **settings, fused=True)
        case "momentum":
            momentum = trial.suggest_float("momentum", 0.8, 0.99)
            return torch.optim.SGD(model.parameters(), **settings, momentum=momentum, fused=True)
        case "adagrad":
            return torch.optim.Adagrad(model.parameters(), **settings, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(model.parameters(), **settings, foreach=True)
        case _:
            return torch.optim.Adam(model.parameters(), **settings, fused=True)


if __name__ == "__main__":
    atexit.register(gc.freeze)  # as hpsearch's: no last search for garbage
    main()
