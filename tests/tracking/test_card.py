import json

import pytest

from hpsearch.spec import load_study
from hpsearch.tracking.card import StudyCard, card_of, read_card
from hpsearch.tracking.identity import establish_identity
from tests.support.tracking import CARD

DIGITS = "studies/digits.yaml"


def test_a_card_that_was_handed_over_equals_the_one_that_the_study_file_gives(study, request):
    spec = load_study(request.config.rootpath / DIGITS)
    study.home.study_file.write_text((request.config.rootpath / DIGITS).read_text("utf-8"), encoding="utf-8")
    identity = establish_identity(study.home, uri="http://server", experiment="ours")
    handed = StudyCard.from_json(json.loads(json.dumps(card_of(spec, study.home, identity).to_json())))
    assert handed == read_card(study.home, identity)
    assert handed.conditional == {"momentum"}


@pytest.mark.parametrize("field", ["key", "identity", "objectives", "searched", "log_scaled", "settings"])
def test_no_field_is_lost_on_the_way(field):
    back = StudyCard.from_json(json.loads(json.dumps(CARD.to_json())))
    assert getattr(back, field) == getattr(CARD, field)
