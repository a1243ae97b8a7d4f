"""What is made from the code says what it says."""

import json

from hpsearch.spec import json_schema
from hpsearch.spec.schema import SCHEMA_FILE


def test_the_published_schema_is_that_of_the_reader():
    """Renew it with `make docs`."""
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == json_schema()
