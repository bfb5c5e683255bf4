"""Validate the descriptions beside an export with the validators of those who made the forms; print what is wrong.

RO-Crate's context is on the web. The validator works with the terms of it that we use, as they stand there, and the two
checks that fetch it are left to whoever has the web.
"""

import json
import sys
from pathlib import Path

import mlcroissant
import rdflib.plugins.parsers.jsonld
import rdflib.plugins.shared.jsonld.context
import rdflib.plugins.shared.jsonld.util
from frictionless import validate
from rocrate_validator import models, services
from rocrate_validator.utils.document_loader import install_document_loader

FETCHING = {"ro-crate-1.1_3.1", "ro-crate-1.1_3.2"}
CONTEXT = {
    "@context": {
        "@vocab": "http://schema.org/",
        "File": "http://schema.org/MediaObject",
        "conformsTo": "http://purl.org/dc/terms/conformsTo",
    }
}
install_document_loader()  # once, so that it does not come before ours later
fetch = rdflib.plugins.shared.jsonld.util.source_to_json


def source_to_json(source, *others, **more):
    if str(source).startswith("https://w3id.org/ro/crate/1.1/context"):
        return CONTEXT, None
    return fetch(source, *others, **more)


for module in (
    rdflib.plugins.shared.jsonld.util,
    rdflib.plugins.shared.jsonld.context,
    rdflib.plugins.parsers.jsonld,
):
    module.source_to_json = source_to_json


def croissant(folder):
    try:
        found = mlcroissant.Dataset(jsonld=str(folder / "croissant.json")).metadata.ctx.issues
    except mlcroissant.ValidationError as error:
        return [str(error)]
    return sorted(found.errors)


def ro_crate(folder):
    settings = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="ro-crate-1.1",
        requirement_severity=models.Severity.REQUIRED,
    )
    issues = services.validate(settings).get_issues()
    return [f"{one.check.identifier} {one.message}" for one in issues if one.check.identifier not in FETCHING]


def data_package(folder):
    path = folder / "datapackage.json"
    if not path.exists():
        return []
    return [str(one) for one in validate(str(path)).flatten(["rowNumber", "fieldNumber", "type", "note"])]


there = sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_dir())
print(json.dumps({one.name: [*croissant(one), *ro_crate(one), *data_package(one)] for one in there}))
