"""What only file and data together tell is told with the line of the study file, and all at once."""

import pandas as pd
import pytest

from hpsearch.errors import InputError
from hpsearch.fit import prepare_study
from hpsearch.spec import load_study

COLUMNS = {"a": [0.5 * i for i in range(20)], "y": ["p", "q"] * 10}
DIABETES = "data: {source: sklearn/diabetes}"


def refusal(directory, text, columns=COLUMNS):
    """What is said of a study on `t.csv`."""
    pd.DataFrame(columns).to_csv(directory / "t.csv", index=False)
    path = directory / "s.yaml"
    path.write_text(f"study: s\n{text}\n")
    with pytest.raises(InputError) as caught:
        prepare_study(load_study(path))
    return str(caught.value).replace(f"{directory}/", "")


@pytest.mark.parametrize(
    ("data", "columns", "said"),
    [
        (
            "source: t.csv\n  target: z",
            COLUMNS,
            "s.yaml:4: data.target: the table has no column 'z'; its columns: 'a', 'y'",
        ),
        (
            "source: u.csv\n  target: y",
            COLUMNS,
            "s.yaml:3: data.source: there is no file u.csv; did you mean 't.csv'?",
        ),
        (
            "source: t.csv\n  target: y\n  split: {stratify: true}",
            {**COLUMNS, "y": ["once", *"pq" * 9, "p"]},
            (
                "s.yaml:5: data.split.stratify: too few rows of column 'y' for a stratified split into 3 parts in "
                "class 'once' (1 row); set it to false, or bring more rows of it"
            ),
        ),
        (
            "source: t.csv\n  target: y\n  split: {stratify: false}",
            {**COLUMNS, "y": list("abcdefghijklmnopqrst")},
            (
                "s.yaml:4: data.target: column 'y' has 20 classes in 20 rows: too few of a class to learn it from; "
                "set data.task: regression if these are measurements, or name another column"
            ),
        ),
        (
            "source: t.csv\n  target: y",
            {**COLUMNS, "a": [float("inf"), *range(19)]},
            "t.csv:2: column 'a': must be finite, got inf (line 2); correct or empty these cells",
        ),
    ],
    ids=["no column", "no file", "class of one", "a class a row", "cell"],
)
def test_a_problem_of_a_key_has_the_keys_line_and_one_of_a_cell_the_cells(tmp_path, data, columns, said):
    assert refusal(tmp_path, f"data:\n  {data}", columns) == said


def test_losses_and_metrics_that_do_not_fit_are_all_told_with_their_lines(tmp_path):
    text = (
        "data: {source: sklearn/digits}\nmodel: {loss: $how}\n"
        "space: {how: [mae, cross_entropy]}\nobjective: {metric: validation_rmse, direction: minimize}"
    )
    assert refusal(tmp_path, text) == (
        "s.yaml:4: space.how: mae does not fit a target of classes (target); use auto or one of cross_entropy\n"
        "s.yaml:5: objective.metric: validation_rmse is not defined for a target of classes (target); "
        "use validation_ and one of accuracy, log_loss, loss, macro_f1, roc_auc"
    )


@pytest.mark.parametrize(
    "space", ["{loss: [mse, huber]}", "{loss: huber, huber_delta: [0.5, 1.0]}"], ids=["losses", "deltas"]
)
def test_a_loss_cannot_be_the_objective_where_trials_differ_in_their_losses(tmp_path, space):
    """The smallest of several losses in units of their own is not the best."""
    assert refusal(tmp_path, f"{DIABETES}\nspace: {space}") == (
        "s.yaml:1: objective.metric: validation_loss cannot compare trials whose losses differ, as in this "
        "space; use validation_rmse or validation_mae, direction: minimize"
    )


@pytest.mark.parametrize(
    "text",
    [
        f"{DIABETES}\nspace: {{loss: [mse, huber]}}\nobjective: {{metric: validation_rmse, direction: minimize}}",
        f"{DIABETES}\nspace: {{loss: [auto, mse], huber_delta: [0.5, 1.0]}}",
        "data: {source: sklearn/breast_cancer}\nspace: {loss: [cross_entropy, binary_cross_entropy]}",
    ],
    ids=["rmse", "one loss", "both are the log loss"],
)
def test_losses_that_can_be_compared_are_searched(tmp_path, text):
    (tmp_path / "s.yaml").write_text(f"study: s\n{text}\n")
    assert prepare_study(load_study(tmp_path / "s.yaml")).summary.rows


def test_a_metric_that_the_validation_part_leaves_undefined_is_refused(tmp_path):
    """Every trial would end without a value, for a reason that is none of its own."""
    text = (
        "data: {source: t.csv, target: y, split: {stratify: false}}\n"
        "objective: {metric: validation_roc_auc, direction: maximize}"
    )
    assert refusal(tmp_path, text, {"a": range(40), "y": ["once", *"pqpqpqpqpqpqp" * 3]}) == (
        "s.yaml:3: objective.metric: validation_roc_auc is not defined: the validation part has no row of "
        "class 'once'; use another metric, or bring more rows"
    )
