"""The report: true sentences, figures of what is there, one file that needs nothing and lets nothing in."""

import json
import re
from dataclasses import replace

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from hpsearch.errors import UnknownStudyError
from hpsearch.judgment.finding import Finding
from hpsearch.report import render_report, write_report
from hpsearch.report.curves import MOST_CURVES, learning_curves
from hpsearch.report.landscape import slices
from hpsearch.report.material import gather
from hpsearch.report.sections import sections
from hpsearch.report.style import COLOURS
from hpsearch.report.wording import summary, symptoms
from hpsearch.spec import parse_study
from hpsearch.store import Store
from hpsearch.study import run_study
from hpsearch.tracking import attach_files
from hpsearch.tracking.study_run import result_scalars
from tests.support.studies import QUICK, Watcher, run_quick, write_houses

HOSTILE = '</script><img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("report") / "mlruns")
    return run_study(parse_study(QUICK), store=store, observer=Watcher()).home


@pytest.fixture(scope="module")
def material(home):
    return gather(home)


def figure_data(page):
    found = re.findall(r'<script type="application/json" id="(.+?)-data">(.*?)</script>', page)
    return {name: json.loads(text) for name, text in found}


def test_the_page_has_every_figure_and_table(home):
    page = write_report(home).read_text(encoding="utf-8")
    figures = figure_data(page)
    search = ["history", "curves", "generalization", "pruning", "importance", "parallel", "slices", "contour"]
    assert list(figures) == [*search, "test", "confusion", "calibration", "inputs"]
    assert all(figure["data"] for figure in figures.values())
    assert all(page.count(f'id="{name}"') == 1 for name in figures)
    assert all(f"trial-{number:04d}</th>" in page for number in range(14))


def test_the_page_asks_nothing_of_the_network(home):
    page = write_report(home).read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "form-action 'none'" in page  # which no default holds for
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r'(src|href)="(?!#)', own)
    assert "@import" not in own
    assert "url(" not in own


def test_no_name_breaks_out_of_the_page(material):
    facts = [replace(fact, reason=HOSTILE, verdict=HOSTILE) for fact in material.facts]
    page = render_report(replace(material, key=HOSTILE, facts=facts, best=facts[:5], study_file=HOSTILE))
    assert "<img" not in page
    assert any(
        HOSTILE in json.dumps(figure, ensure_ascii=False).replace('\\"', '"')
        for figure in figure_data(page).values()
    )


def test_the_summary_counts_what_was_run(material):
    text = " ".join(summary(material))
    pruned = sum(fact.state == "pruned" for fact in material.facts)
    epochs = sum(fact.epochs for fact in material.facts)
    assert "14 trials ran" in text
    assert pruned == 0 or f"{pruned} pruned" in text
    assert f"{epochs} epochs" in text
    assert f"The best is {material.best[0].name}" in text
    assert f"{material.result['test']['accuracy']['value']:.4g} on the 30 sealed test rows" in text


@pytest.mark.parametrize(
    ("metric", "score", "baseline", "said"),
    [
        ("accuracy", (0.9, 0.85, 0.95), 0.5, "clearly worse"),
        ("accuracy", (0.9, 0.85, 0.95), 0.88, "too small to tell"),
        ("accuracy", (0.9, 0.85, 0.95), 0.99, "clearly better"),
        ("rmse", (2.0, 1.5, 2.5), 4.0, "clearly worse"),
        ("rmse", (2.0, 1.5, 2.5), 1.0, "clearly better"),
    ],
)
def test_a_baseline_is_compared_with_the_interval(material, metric, score, baseline, said):
    test = {metric: dict(zip(("value", "low", "high"), score, strict=True))}
    result = {**material.result, "test": test, "baselines": {"simple": {metric: baseline}}}
    text = " ".join(summary(replace(material, result=result)))
    assert f"The simple baseline has {baseline:.4g}" in text
    assert said in text


def test_a_study_that_goes_on_is_reported_as_it_stands(material):
    page = render_report(replace(material, result={}))
    assert "the test part is still sealed" in page
    assert "test" not in figure_data(page)


def test_a_study_without_finished_trials_has_a_page(material):
    facts = [replace(fact, state="diverged", values=None) for fact in material.facts]
    page = render_report(replace(material, facts=facts, best=[], result={}))
    assert "No trial has finished" in page
    assert set(figure_data(page)) == {"curves", "generalization", "pruning"}


def test_a_study_that_has_not_begun_has_none(tmp_path):
    home = Store(tmp_path).new_generation("early")
    with pytest.raises(UnknownStudyError, match="holds no trials yet"):
        write_report(home)


def test_of_many_trials_the_best_and_the_latest_curves_are_drawn(material):
    facts = [replace(material.facts[0], number=number) for number in range(MOST_CURVES * 2)]
    figure = learning_curves(replace(material, facts=facts, best=facts[50:400]))
    drawn = {text for trace in figure.data for text in trace.text}
    assert len(drawn) == MOST_CURVES
    assert any("trial-0050" in text for text in drawn)
    assert any(f"trial-{MOST_CURVES * 2 - 1:04d}" in text for text in drawn)


def test_a_verdict_has_one_colour_in_all_figures(material):
    verdicts = ["overfitting", "healthy", "underfitting", "overfitting", "at_chance"]
    facts = [replace(fact, verdict=verdicts[fact.number % 5]) for fact in material.facts]
    figures = figure_data(render_report(replace(material, facts=facts)))
    lines = {trace["name"]: trace["line"]["color"] for trace in figures["curves"]["data"] if trace["visible"]}
    points = {trace["name"]: trace["marker"]["color"] for trace in figures["generalization"]["data"][:-1]}
    assert lines == points
    assert len(set(lines.values())) == 4


def test_no_colour_of_a_figure_is_lost_on_a_dark_or_a_white_page(material):
    """Optuna's figures have the report's colours, and numbers in the page's ink."""
    figures = figure_data(render_report(material))
    best, *_, worst = sorted(figures["parallel"]["data"][:-1], key=lambda trace: trace["y"][0])
    assert (best["line"]["color"], worst["line"]["color"]) == ("rgb(0, 114, 178)", "rgb(230, 159, 0)")
    assert all("color" not in each["font"] for each in figures["parallel"]["layout"]["annotations"])
    assert figures["contour"]["data"][0]["colorscale"][-1] == [1.0, COLOURS[0]]
    assert figures["slices"]["data"][0]["marker"]["colorscale"][-1] == [1.0, COLOURS[0]]


def test_a_bar_is_as_wide_as_its_trial_however_far_those_of_its_state_lie_apart(material):
    states = ["complete", *["pruned"] * 12, "complete"]
    facts = [replace(fact, state=states[fact.number]) for fact in material.facts]
    bars = figure_data(render_report(replace(material, facts=facts)))["pruning"]["data"]
    assert [(each["name"], each["width"]) for each in bars] == [
        ("planned", 0.9),
        ("complete (2)", 0.9),
        ("pruned (12)", 0.9),
    ]


def test_slices_stand_in_rows_of_four(material):
    layout = figure_data(render_report(material))["slices"]["layout"]
    panels = len(material.searched)
    places = [
        (layout[f"xaxis{n if n > 1 else ''}"]["domain"][0], layout[f"yaxis{n if n > 1 else ''}"]["domain"][1])
        for n in range(1, panels + 1)
    ]
    assert len({left for left, _ in places}) == min(4, panels)
    assert len({top for _, top in places}) == -(-panels // 4)
    assert "width" not in layout


@pytest.mark.parametrize(("least", "dtick"), [(1e-4, 1), (2e-3, None)])
def test_a_logarithmic_slice_has_ticks_within_its_range(material, least, dtick):
    """Those at powers of ten are enough where there are some."""
    study = optuna.create_study()
    for number in range(5):
        params = {"rate": least * (9e-3 / least) ** (number / 4), "width": number}
        distributions = {"rate": FloatDistribution(1e-5, 1.0, log=True), "width": IntDistribution(0, 9)}
        study.add_trial(optuna.create_trial(params=params, distributions=distributions, value=1.0 * number))
    canonical = {"space": {"rate": {}, "width": {}}}
    facts = [replace(fact, distributions=distributions, params=params) for fact in material.facts]
    attributes = {**material.attributes, "canonical": canonical}
    drawn = slices(replace(material, optuna_study=study, facts=facts, best=facts, attributes=attributes))
    assert (drawn.layout.xaxis.type, drawn.layout.xaxis.dtick) == ("log", dtick)


def test_findings_are_counted_and_shown_by_the_best_trial_that_has_them(material):
    finding = Finding(name="overfitting", severity="warning", sentence="It did.", advice="Less.", evidence={})
    ill = {fact.number for fact in material.best[2:5]}
    facts = [replace(fact, findings=(finding,) if fact.number in ill else ()) for fact in material.facts]
    [symptom] = symptoms(replace(material, facts=facts))
    assert (symptom.count, symptom.example.number) == (3, material.best[2].number)


def test_rows_that_were_predicted_worst_are_shown_with_their_inputs(material):
    worst = {"row": 3, "true": "setosa", "predicted": HOSTILE, "probability_of_true": 0.01}
    shown = [
        {**worst, "inputs": {"petal width": 1.5, "colour": None}},
        {**worst, "picture": "data:image/png;base64,AAAA"},
        {**worst, "picture": "https://elsewhere/"},
    ]
    result = {**material.result, "inspection": {**material.result["inspection"], "worst": shown}}
    page = render_report(replace(material, result=result))
    assert "petal width 1.5, colour missing" in page
    assert page.count("<img") == 1
    assert 'src="data:image/png;base64,AAAA"' in page
    assert "elsewhere" not in page


@pytest.mark.parametrize(
    ("shown", "head"),
    [
        ({}, None),
        ({"inputs": {"area": 1}}, "inputs that matter most"),
        ({"inputs": {"area": 1, "year": 2}}, "inputs"),
        ({"picture": "data:image/svg+xml;base64,AAAA"}, "picture"),
    ],
)
def test_a_column_is_there_for_what_is_known_of_the_rows_predicted_worst(material, shown, head):
    worst = [{"row": 3, "true": "a", "predicted": "b", "probability_of_true": 0.01, **shown}]
    inspection = {**material.result["inspection"], "worst": worst, "importance": {"area": 0.2, "year": 0.1}}
    page = render_report(replace(material, result={**material.result, "inspection": inspection}))
    heads = re.findall(
        r'<th scope="col">(.*?)</th>', page.partition('id="worst-title"')[2].partition("</thead>")[0]
    )
    assert heads[4:] == ([head] if head else [])
    assert page.count("<img") == ("picture" in shown)


def test_numbers_are_plotted_against_the_truth(tmp_path):
    write_houses(tmp_path / "houses.csv")
    result, _ = run_quick(
        tmp_path / "mlruns",
        "study: houses\ndata: {source: houses.csv, target: price}\nbudget: {trials: 4}\nspace: {epochs: 3}",
        base=tmp_path,
    )
    figures = figure_data(render_report(gather(result.home)))
    assert {"residuals", "inputs"} <= set(figures)
    assert not {"confusion", "calibration"} & set(figures)
    assert {"area", "district", "garden", "year"} == set(figures["inputs"]["data"][0]["y"])


def test_what_the_trials_say_together_is_told(material):
    standing = {
        "sentence": "The first 2 of 9 finished trials are indistinguishable; the smallest of them is trial-0003.",
        "optimism": 0.0123456,
        "finished": 9,
        "findings": [{"sentence": "The best lies at an end.", "advice": "Widen it."}],
    }
    page = render_report(replace(material, result={**material.result, "standing": standing}))
    for said in (
        standing["sentence"],
        "flatters its mean validation loss by about 0.01235",
        "at an end. Widen it.",
    ):
        assert said in page
    assert "The search as a whole" not in render_report(replace(material, result={}))


def test_one_measure_of_importance_serves_report_result_and_mlflow(material):
    """What the figure shows is what `result.json` has and the study's run in MLflow."""
    importance = material.result["standing"]["importance"]
    bars = figure_data(render_report(material))["importance"]["data"][0]
    shown = dict(zip(bars["y"], bars["x"], strict=True))
    assert shown == {name: max(each["share"], 0) for name, each in importance.items()}
    scalars = result_scalars(material.result)
    assert all(scalars[f"importance/{name}"] == each["share"] for name, each in importance.items())


def test_figures_whose_numbers_stand_nowhere_else_have_them_as_a_table(material):
    tables = {section.id: section.numbers for section in sections(material) if section.numbers}
    assert {name: table[0][0] for name, table in tables.items()} == {
        "importance": "parameter",
        "calibration": "sure by",
        "inputs": "input",
    }
    most, share = next(iter(material.result["standing"]["importance"].items()))
    assert tables["importance"][1][:2] == (most, f"{share['share']:.0%}")
    assert render_report(material).count("<summary>In numbers</summary>") == len(tables)


def test_every_caption_ends_as_a_sentence(material):
    assert all(section.caption.endswith(".") for section in sections(material))


def test_the_page_stands_beside_the_study_run_in_mlflow(home):
    path = write_report(home)
    attach_files(Store(path.parents[2]), home)
    attached = list(Store(path.parents[2]).artifacts.rglob("report.html"))
    assert [file.read_bytes() for file in attached] == [path.read_bytes()]
