"""Templates are filled once, and JSON stays inside its script element."""

import json

import pytest

from tfimpute_tracks.storage.page import fill_template, script_json

VALUES = {"title": "T", "lead": "L", "contents": "C", "sections": "S"}


def test_a_value_is_not_searched_for_names():
    page = fill_template("comparison/report.html", VALUES | {"sections": "{{lead}} {"})
    assert "\n{{lead}} {\n" in page
    assert page.count("T") > 1
    assert "{{title}}" not in page


def test_a_name_without_a_value_is_an_error():
    values = {name: value for name, value in VALUES.items() if name != "sections"}
    with pytest.raises(KeyError, match="sections"):
        fill_template("comparison/report.html", values)


def test_json_cannot_close_a_script():
    value = {"label": "</script><b>", "n": [1, None]}
    text = script_json(value)
    assert "<" not in text
    assert json.loads(text) == value
