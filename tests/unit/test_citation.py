"""CITATION.cff says what GitHub and Zenodo read of it, as its format wants it, and what the package says of itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml

from harvest._version import __version__
from harvest.citing.cite import AUTHORS, TITLE

ROOT = Path(__file__).parents[2]
TEXT = {"type": "string", "minLength": 1}
# Of the Citation File Format 1.2.0, what is required, and the keys that the file uses.
FORMAT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["authors", "cff-version", "message", "title"],
    "properties": {
        "cff-version": {"type": "string", "pattern": r"^1\.2\.0$"},
        "message": TEXT,
        "title": TEXT,
        "abstract": TEXT,
        "type": {"enum": ["software", "dataset"]},
        "version": TEXT,
        "date-released": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "license": {"enum": ["MIT"]},
        "authors": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {"name": TEXT},
            },
        },
        "keywords": {"type": "array", "minItems": 1, "uniqueItems": True, "items": TEXT},
    },
}


@pytest.fixture
def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))


def test_the_citation_has_the_form_of_its_format(citation):
    jsonschema.validate(citation, FORMAT)


def test_it_names_the_day_of_the_release_as_the_changelog_does(citation):
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\n## [{__version__}] - {citation['date-released']}\n" in changelog


@pytest.mark.parametrize("damage", [{"authors": []}, {"message": ""}, {"licence": "MIT"}, {"cff-version": 1.2}])
def test_what_the_format_refuses_is_seen(citation, damage):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**citation, **damage}, FORMAT)


def test_the_citation_says_what_the_package_says(citation):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (citation["version"], citation["license"]) == (__version__, project["license"])
    assert (citation["title"], citation["authors"]) == (TITLE, [{"name": AUTHORS}])
    assert set(project["keywords"]) <= set(citation["keywords"])
