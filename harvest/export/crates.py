"""Describe an export in the forms that catalogues and other tools read, beside its manifest. Pure.

- `croissant.json`: Croissant (MLCommons) with the fields of its vocabulary for responsible AI that facts can fill;
- `ro-crate-metadata.json`: an RO-Crate, in which one action made the files from the seeds;
- `datapackage.json`: a Frictionless data package, of CSV.

In: what the manifest says, and the types of columns. Out: JSON values. Nothing stands in them that is not in the
manifest, so a pseudonymised export tells no more by them; addresses are relative to the folder. What only a person can
say, such as whose data set it is, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harvest.export.folder import MANIFEST
from harvest.terms import TERMS

CROISSANT = "croissant.json"
RO_CRATE = "ro-crate-metadata.json"
DATA_PACKAGE = "datapackage.json"
NAME = "Listening graph"

Types = Mapping[str, Mapping[str, str]]  # path of a file to its columns with their types, as in `tables.Column`

_MEDIA = {
    ".parquet": "application/vnd.apache.parquet",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
    ".md": "text/markdown",
    ".npz": "application/zip",
    ".graphml": "application/xml",
    ".gexf": "application/xml",
    ".yaml": "application/yaml",
}
_READ_BY_COLUMN = (".parquet", ".csv", ".jsonl")  # by programs that read Croissant
_CROISSANT_TYPES = {
    "int64": "sc:Integer", "int32": "sc:Integer", "int16": "sc:Integer", "float32": "sc:Float", "float64": "sc:Float",
    "bool": "sc:Boolean", "text": "sc:Text", "kind": "sc:Text", "list": "sc:Text", "time": "sc:DateTime",
    "day": "sc:Date",
}  # fmt: skip
_TABLE_TYPES = {
    "int64": "integer", "int32": "integer", "int16": "integer", "float32": "number", "float64": "number",
    "bool": "boolean", "text": "string", "kind": "string", "list": "array", "time": "datetime", "day": "date",
}  # fmt: skip
# The context that the specification prints.
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def crates(made: Mapping[str, Any], types: Types) -> dict[str, Any]:
    """Give what is to be written, by path: of a manifest, and the types of columns. The same data make the same bytes,
    whenever they are exported, and wherever to.
    """
    found = {CROISSANT: _croissant(made, types)}
    if made["format"] == "csv":
        found[DATA_PACKAGE] = _data_package(made, types)
    return {**found, RO_CRATE: _ro_crate(made, beside=[*found, MANIFEST])}


def _as_of(made: Mapping[str, Any]) -> str:
    """Give when the last page was fetched, which is the date of the data."""
    return str(made["source"]["last_page_at"] or made["made_at"])


def _croissant(made: Mapping[str, Any], types: Types) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": NAME,
        "description": _description(made),
        "license": TERMS,
        "url": "https://soundcloud.com",
        "version": "1.0.0",
        "datePublished": _as_of(made),
        "isLiveDataset": False,
        **_responsibly(made),
        "distribution": [_file_object(file) for file in made["files"]],
        "recordSet": [
            _record_set(file, types[file["path"]])
            for file in made["files"]
            if types.get(file["path"]) and file["path"].endswith(_READ_BY_COLUMN)
        ],
    }


def _responsibly(made: Mapping[str, Any]) -> dict[str, Any]:
    """Fill what facts can of the vocabulary for responsible AI."""
    source, lists = made["source"], made["lists"]["in the file"]
    window = [time for time in (source["first_page_at"], source["last_page_at"]) if time]
    ends = "; ".join(
        f"{kind}: {', '.join(f'{n} {outcome}' for outcome, n in outcomes.items())}" for kind, outcomes in lists.items()
    )
    steps = [f"{one['filter']}: {one['users']} users, {one['items']} items left" for one in _steps(made)]
    hidden = made["ids"]["mode"] == "pseudonym"
    who = "Interactions of people with tracks, under " + ("pseudonyms. " if hidden else "the numbers of the service. ")
    return {
        "rai:dataCollection": " ".join(made["methods"]),
        "rai:dataCollectionType": "Software Collection",
        "rai:dataCollectionTimeframe": window,
        "rai:dataCollectionMissingData": f"How the lists that were read ended, by kind: {ends}.",
        "rai:dataPreprocessingProtocol": steps,
        "rai:dataBiases": list(made["biases"]),
        "rai:personalSensitiveInformation": who + made["ids"]["rule"],
        "rai:dataReleaseMaintenancePlan": (
            "Made once. What is deleted on the service, or forgotten in the file it was made of, later, is still here:"
            " make it anew with harvest export, and delete this one."
        ),
        "rai:dataLimitations": made["terms"],
    }


def _steps(made: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    steps: Sequence[Mapping[str, Any]] = made["counts"]["after each filter"]
    return steps


def _description(made: Mapping[str, Any]) -> str:
    services = ", ".join(made["source"]["service"])
    return f"Who likes what, collected from {services} with harvest {made['harvest_version']}. {made['attribution']}"


def _file_object(file: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file["path"],
        "name": file["path"],
        "contentUrl": file["path"],
        "encodingFormat": _media(file["path"]),
        "contentSize": f"{file['bytes']} B",
        "sha256": file["sha256"],
    }


def _record_set(file: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    called = file["path"].rpartition(".")[0]
    return {
        "@type": "cr:RecordSet",
        "@id": called,
        "name": called,
        "description": f"The table {file['table']}, as docs/export.md of harvest describes it.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{called}/{column}",
                "name": column,
                "dataType": _CROISSANT_TYPES[kind],
                **({"repeated": True} if kind == "list" and file["path"].endswith(".parquet") else {}),
                "source": {"fileObject": {"@id": file["path"]}, "extract": {"column": column}},
            }
            for column, kind in columns.items()
        ],
    }


def _media(path: str) -> str:
    return _MEDIA.get(path[path.rfind(".") :], "application/octet-stream")


def _ro_crate(made: Mapping[str, Any], *, beside: Sequence[str]) -> dict[str, Any]:
    """Say it as a graph: the folder, its files, the program, and the action that made them."""
    files = [
        {
            "@id": file["path"],
            "@type": "File",
            "name": file["path"],
            "encodingFormat": _media(file["path"]),
            "contentSize": str(file["bytes"]),
            "sha256": file["sha256"],
        }
        for file in made["files"]
    ]
    files += [{"@id": path, "@type": "File", "name": path, "encodingFormat": "application/json"} for path in beside]
    parts = [{"@id": file["@id"]} for file in files]
    seeds = made["source"]["seeds"] if isinstance(made["source"]["seeds"], list) else []
    pages = [seed for seed in dict.fromkeys(seeds) if seed.startswith("https://")]
    program = f"#harvest-{made['harvest_version']}"
    action = {
        "@id": "#made",
        "@type": "CreateAction",
        "name": "Collected with harvest, and exported",
        "description": " ".join(made["methods"]),
        "instrument": {"@id": program},
        "object": [{"@id": page} for page in pages],
        "result": parts,
        "endTime": _as_of(made),
        **({"startTime": made["source"]["first_page_at"]} if made["source"]["first_page_at"] else {}),
    }
    graph = [
        {
            "@id": RO_CRATE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": NAME,
            "description": _description(made),
            "datePublished": _as_of(made),
            "license": {"@id": TERMS},
            "hasPart": parts,
            "mentions": {"@id": "#made"},
        },
        {"@id": TERMS, "@type": "CreativeWork", "name": "SoundCloud API terms of use", "description": made["terms"]},
        {"@id": program, "@type": "SoftwareApplication", "name": "harvest", "version": made["harvest_version"]},
        *({"@id": page, "@type": "WebPage", "name": page} for page in pages),
        action,
        *files,
    ]
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}


def _data_package(made: Mapping[str, Any], types: Types) -> dict[str, Any]:
    return {
        "profile": "data-package",
        "name": "listening-graph",
        "title": NAME,
        "description": _description(made),
        "created": _as_of(made),
        "licenses": [{"title": made["terms"], "path": TERMS}],
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": file["path"].removesuffix(".csv").replace("/", "-"),
                "path": file["path"],
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": file["bytes"],
                "hash": f"sha256:{file['sha256']}",
                "schema": {
                    "fields": [
                        {"name": column, "type": _TABLE_TYPES[kind]} for column, kind in types[file["path"]].items()
                    ],
                    "missingValues": [""],
                },
            }
            for file in made["files"]
            if types.get(file["path"])
        ],
    }
