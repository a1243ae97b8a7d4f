"""`hpsearch init`: a study that fits the data, whatever the data are."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hpsearch.spec import json_schema, load_study
from hpsearch.spec.document import read_document
from tests.support.json_schema import accepts
from tests.support.studies import as_json, cli_here, write_customers, write_houses


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    """A directory with a table and the study that `init` writes for it."""
    directory = tmp_path_factory.mktemp("houses")
    write_houses(directory / "houses.csv")
    begun = cli_here("init", "houses.csv", "--target", "price", cwd=directory)
    assert begun.returncode == 0, begun.stderr
    assert begun.stderr == "Next: hpsearch run study.yaml\n"
    return directory


def test_init_writes_a_commented_study_that_names_its_schema(houses):
    """Valid as it stands; few rows make folds and small networks."""
    text = (houses / "study.yaml").read_text()
    schema = urlsplit(text.splitlines()[0].removeprefix("# yaml-language-server: $schema="))
    assert json.loads(Path(unquote(schema.path)).read_text())["title"] == "hpsearch study file"
    assert accepts(json_schema(), read_document(text, "study.yaml").values)
    spec = load_study(houses / "study.yaml")
    assert (spec.study, spec.data.target, spec.data.split.folds) == ("houses", "price", 5)
    assert max(spec.space["width"].values) == 32
    assert text.count("#") > 5


def test_init_leaves_out_what_only_tells_rows_apart(tmp_path):
    """Numbers and names of rows, in any order, dates that are read in two ways, constants: each with its reason."""
    table = pd.read_csv(write_customers(tmp_path / "people.csv"))
    days = pd.date_range("2020-01-01", periods=len(table))
    table.insert(0, "number", np.random.default_rng(0).permutation(len(table)))
    table["customer_id"] = table["number"] * 7 + 100_000
    table["name"] = [f"person {i}" for i in range(len(table))]
    table["joined"] = days.astype(str)
    table["born"] = days.strftime("%d/%m/%Y")
    table["month"] = days.strftime("%b")
    table["country"] = "CH"
    table.to_csv(tmp_path / "people.csv", index=False)
    made = as_json("init", "people.csv", "-t", "left", "-o", "churn.yaml", "--name", "churn", cwd=tmp_path)
    assert (made["study"], made["task"]) == ("churn", "binary")
    left_out = {"number", "customer_id", "name", "born", "country"}
    assert set(load_study(tmp_path / "churn.yaml").data.drop) == left_out
    notes = " ".join(made["notes"])
    assert "'born' is left out: it is a date that may be read in two ways" in notes
    assert "'joined' is a date; `split: {time: joined}`" in notes
    assert as_json("validate", "churn.yaml", cwd=tmp_path)["data"]["features"] > 12 + 3


def test_init_learns_from_texts_where_there_is_nothing_else(tmp_path):
    """Their words, as tokens; beside other columns a table has no place for them."""
    words = ["plain", "good", "bad", "slow", "fast", "again", "never", "always"]
    stream = np.random.default_rng(0)
    said = [" ".join(stream.choice(words, 6)) for _ in range(300)]
    table = pd.DataFrame({"review": said, "stars": ["up" if "good" in each else "down" for each in said]})
    table.to_csv(tmp_path / "reviews.csv", index=False)
    made = as_json("init", "reviews.csv", "-t", "stars", "-o", "reviews.yaml", cwd=tmp_path)
    assert "'review' holds texts: their words are the input" in " ".join(made["notes"])
    assert as_json("validate", "reviews.yaml", cwd=tmp_path)["valid"]
    table.assign(price=stream.normal(size=300)).to_csv(tmp_path / "mixed.csv", index=False)
    made = as_json("init", "mixed.csv", "-t", "stars", "-o", "mixed.yaml", cwd=tmp_path)
    assert "'review' is left out: it holds texts" in " ".join(made["notes"])
    assert load_study(tmp_path / "mixed.yaml").data.drop == ("review",)


def test_init_takes_a_folder_with_or_without_a_slash(tmp_path):
    """Pictures, a folder a class."""
    for number in range(24):
        folder = tmp_path / "pictures" / ("dark", "light")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        shade = np.full((8, 8), 40 + 150 * (number % 2) + number, dtype=np.uint8)
        Image.fromarray(shade).save(folder / f"{number}.png")
    for written in ("pictures", "pictures/"):
        as_json("init", written, "--force", cwd=tmp_path)
        assert load_study(tmp_path / "study.yaml").data.source == "pictures/"


def test_init_takes_numbers_in_three_dimensions_for_series(tmp_path):
    """What else they may be is said, in the file too."""
    x = np.random.default_rng(0).normal(size=(60, 15, 2))
    np.savez(tmp_path / "walks.npz", x=x, y=np.arange(60) % 2)
    made = as_json("init", "walks.npz", cwd=tmp_path)
    assert "taken for 60 series of 15 steps; `kind: image` for pictures" in made["notes"][0]
    assert "kind: sequence" in made["text"]
    assert as_json("validate", "study.yaml", cwd=tmp_path)["valid"]


def test_init_prints_the_study_where_a_dash_is_its_file(tmp_path):
    """As text, or as JSON that holds the text; nothing is written."""
    printed = cli_here("init", "sklearn/iris", "-o", "-", cwd=tmp_path).stdout
    made = as_json("init", "sklearn/iris", "-o", "-", cwd=tmp_path)
    assert (made["file"], made["text"], made["rows"]) == (None, printed, 150)
    assert list(tmp_path.iterdir()) == []


def test_init_sees_rare_classes_and_long_tails(tmp_path):
    """What is judged, and on which scale, follows from the target."""
    stream = np.random.default_rng(0)
    x = stream.normal(size=(2000, 3))
    pd.DataFrame(x).assign(y=np.where(x[:, 0] > 1.8, "yes", "no")).to_csv(tmp_path / "rare.csv", index=False)
    as_json("init", "rare.csv", "-t", "y", "-o", "rare.yaml", cwd=tmp_path)
    assert load_study(tmp_path / "rare.yaml").objectives[0].metric == "validation_macro_f1"
    pd.DataFrame(x).assign(y=np.exp(2 * x[:, 0])).to_csv(tmp_path / "tail.csv", index=False)
    as_json("init", "tail.csv", "-t", "y", "-o", "tail.yaml", cwd=tmp_path)
    assert load_study(tmp_path / "tail.yaml").data.preprocess.target == "log"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("houses.csv",), ["--target is one of area, district"]),
        (("houses.csv", "--target", "prize"), ["no such column", "did you mean 'price'?"]),
        (("hauses.csv", "--target", "price"), ["hauses.csv"]),
        (("houses.csv", "--target", "price", "-o", "study.yaml"), ["is there already", "--force"]),
        (("houses.docx", "--target", "price"), ["must be a file that ends in"]),
        (("houses.csv", "--target", "price", "-o", "nowhere/study.yaml"), ["there is no folder nowhere"]),
        (("shop:houses",), ["is code, and init looks at files", "data: {source: shop:houses}"]),
    ],
)
def test_init_says_what_is_wrong(houses, arguments, words):
    """Exit code 2, and what is there instead."""
    target = () if "-o" in arguments else ("-o", "another.yaml")
    done = cli_here("init", *arguments, *target, cwd=houses)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    for word in words:
        assert word in done.stderr
    assert not (houses / "another.yaml").exists()


@pytest.mark.parametrize("source", ["sklearn/digits", "sklearn/iris", "sklearn/diabetes"])
def test_init_works_for_data_of_packages(tmp_path, source):
    """No target needs to be named."""
    as_json("init", source, cwd=tmp_path)
    assert load_study(tmp_path / "study.yaml").data.source == source


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "semicolons and decimal commas",
            "größe;preis\n" + "".join(f"{i},5;{3 * i},25\n" for i in range(40)),
            "",
        ),
        (
            "missing targets",
            "a,preis\n" + "".join(f"{i}.5,{'' if i % 7 == 0 else i}\n" for i in range(40)),
            "6 rows without a value in 'preis' left out",
        ),
        (
            "300 columns",
            ",".join(f"c{i}" for i in range(300))
            + ",preis\n"
            + "".join(",".join(str((7 * i + j * j) % 13) for j in range(300)) + f",{i}\n" for i in range(40)),
            "",
        ),
    ],
    ids=lambda value: value if " " in value and "," not in value else "",
)
def test_init_reads_odd_tables(tmp_path, name, text, said):
    """What it writes is a study of numbers that can be run."""
    (tmp_path / "odd.csv").write_text(text, encoding="utf-8")
    made = as_json("init", "odd.csv", "--target", "preis", cwd=tmp_path)
    assert made["task"] == "regression", name
    assert said in " ".join(made["notes"])
    assert as_json("validate", "study.yaml", cwd=tmp_path)["valid"]


def test_init_names_numbers_that_are_written_as_texts(tmp_path):
    """Money, shares, commas: kept as categories, or left out, but not in silence."""
    rows = "".join(f'"${i % 7},500",{i % 9}%,"{i},5",{i % 3}\n' for i in range(60))
    (tmp_path / "money.csv").write_text(f"paid,share,size,y\n{rows}")
    notes = " ".join(as_json("init", "money.csv", "-t", "y", cwd=tmp_path)["notes"])
    for example in ("'paid' holds texts such as '$", "'share' holds texts such as '"):
        assert example in notes
    assert "'size' is left out: it holds texts such as '0,5'; write plain numbers" in notes


def test_what_is_wrong_with_data_is_told_with_its_column_and_no_draft(tmp_path):
    """A place that is no file yet is nobody's help."""
    rows = "".join(f"{i},{i % 2}\n" for i in range(40))
    (tmp_path / "stray.csv").write_text(f"a,y\n{rows}oops,1\n")
    done = cli_here("init", "stray.csv", "-t", "y", cwd=tmp_path)
    assert "stray.csv:42: column 'a': nearly all values are numbers, but not 'oops'" in done.stderr
    (tmp_path / "names.csv").write_text("name,y\n" + "".join(f"n{i},{i % 2}\n" for i in range(40)))
    names = cli_here("init", "names.csv", "-t", "y", cwd=tmp_path)
    assert (
        "has no column to learn from: column 'name' is left out: it differs in nearly every row"
        in names.stderr
    )
    sheet = cli_here("init", "houses.xlsx", "-t", "y", cwd=tmp_path)
    assert "error: houses.xlsx: is a spreadsheet, got 'houses.xlsx'; save the sheet as CSV" in sheet.stderr


def test_init_splits_classes_that_are_rarer_than_parts(tmp_path):
    """A class of one row cannot be in each part; whole numbers may be no classes at all, which is said."""
    stream = np.random.default_rng(0)
    x = stream.normal(size=(600, 2))
    table = pd.DataFrame(x, columns=["a", "b"]).assign(y=stream.poisson(np.exp(x[:, 0])).clip(0, 12))
    table.loc[0, "y"] = 15
    for rows in (600, 300):
        table.head(rows).to_csv(tmp_path / "count.csv", index=False)
        made = as_json("init", "count.csv", "-t", "y", "--force", cwd=tmp_path)
        assert "are taken for classes; `task: regression` in data" in " ".join(made["notes"])
        assert as_json("validate", "study.yaml", cwd=tmp_path)["task"] == "multiclass"


def test_init_of_two_rows_says_what_is_missing(tmp_path):
    (tmp_path / "two.csv").write_text("a,preis\n1,2\n3,5\n")
    done = cli_here("init", "two.csv", "--target", "preis", cwd=tmp_path)
    assert (done.returncode, "bring more rows" in done.stderr) == (2, True)
