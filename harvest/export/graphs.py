"""Write GraphML and GEXF, for Gephi, igraph, NetworkX and graph-tool: users `u1`, tracks `t1`, and what joins them.

Streamed as text: XML of a large graph fits in no memory, neither ours nor, as a rule, that of its reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from harvest.errors import SettingsError
from harvest.export import tables
from harvest.export.escaping import xml
from harvest.export.job import Job, OutFile
from harvest.export.rows import csv_of
from harvest.export.tables import Column, Table

LARGEST = 200_000  # edges that readers of XML put up with

# (name, type in GraphML, type in GEXF)
_NODE = (
    ("kind", "string", "string"),
    ("label", "string", "string"),
    ("genre", "string", "string"),
    ("chance", "double", "double"),
    ("design", "string", "string"),
    ("community", "int", "integer"),
)
_EDGE = (("rel", "string", "string"), ("weight", "double", "double"), ("user_list_rank", "int", "integer"))

Values = tuple[Any, ...]


def check_size(job: Job, *, force: bool) -> None:
    """Refuse a graph that no program for such files opens. Raises SettingsError."""
    edges = job.selection.left.interactions
    if edges > LARGEST and not force:
        raise SettingsError(
            f"{edges:,} interactions make a {job.choices.format} file that few programs open. Keep the dense middle "
            "with --kcore 10 (or more), choose --format parquet and its item_item table, or insist with --force."
        )


def write_graphml(job: Job) -> list[OutFile]:
    """Write one GraphML file."""
    return _write(job, _GraphML())


def write_gexf(job: Job) -> list[OutFile]:
    """Write one GEXF file."""
    return _write(job, _Gexf())


def _write(job: Job, dialect: _GraphML | _Gexf) -> list[OutFile]:
    path, edges = f"graph.{dialect.ending}", 0
    with (job.folder / path).open("w", encoding="utf-8", newline="") as file:
        file.write(dialect.head)
        for node, values in _nodes(job):
            file.write(dialect.node(node, values))
        file.write(dialect.between)
        for edges, (source, target, values) in enumerate(_edges(job), start=1):
            file.write(dialect.edge(edges - 1, source, target, values))
        file.write(dialect.tail)
    columns = ("source", "target", *(name for name, _, _ in _EDGE))
    return [
        OutFile(path, "graph", edges, columns),
        *(f for t in tables.maps(job.selection) for f in csv_of(job, t)),
    ]


def _nodes(job: Job) -> Iterator[tuple[str, Values]]:
    """Give users, then tracks, with what `_NODE` names."""
    for rows in job.batches(_labelled(job)):
        for number, name, chance, design, community in rows:
            yield f"u{number}", ("user", name or f"user {number}", None, chance, design, community)
    items = tables.items(job.selection)
    places = {name: place for place, name in enumerate(items.names)}
    for rows in job.batches(items):
        for row in rows:
            title = row[places["title"]] if "title" in places else None
            genre, community = row[places["genre"]], row[places["community"]]
            yield f"t{row[0]}", ("track", title or f"track {row[0]}", genre, None, None, community)


def _labelled(job: Job) -> Table:
    """Users with their names, and without them under pseudonyms."""
    hidden = job.choices.ids == "pseudonym"
    return Table(
        "users",
        (
            Column("user_id", "int64"),
            Column("name", "text"),
            Column("chance", "float64"),
            Column("design", "text"),
            Column("community", "int32"),
        ),
        f"SELECT p.out, {'NULL' if hidden else 'u.username'}, w.chance, w.design,"  # noqa: S608 - our own words
        f" {tables.COMMUNITY.format(of='user', id='p.id')}"
        " FROM people AS p CROSS JOIN users AS u ON u.id = p.id CROSS JOIN weights AS w ON w.id = p.id"
        f" ORDER BY {'p.out' if hidden else 'p.id'}",
        job.selection.left.users,
    )


def _edges(job: Job) -> Iterator[tuple[str, str, Values]]:
    """Give likes and reposts, then who follows whom: ends, then rel, weight, rank."""
    for rows in job.batches(tables.interactions(job.selection)):
        for user, item, kind, weight, rank, *_ in rows:
            yield f"u{user}", f"t{item}", (kind, weight, rank)
    for rows in job.batches(tables.follows(job.selection)):
        for source, target in rows:
            yield f"u{source}", f"u{target}", ("follow", 1.0, None)


def _safe(value: Any) -> str:
    """Escape for the inside of an element; a lone carriage return would come back as a line feed."""
    return escape(xml(str(value)), {"\r": "&#13;"})


def _attribute(value: Any) -> str:
    return quoteattr(xml(str(value)))


class _GraphML:
    """http://graphml.graphdrawing.org"""

    ending = "graphml"
    between = ""
    tail = "</graph>\n</graphml>\n"

    @property
    def head(self) -> str:
        """Declare the attributes."""
        keys = [
            f'<key id="{what[0]}_{name}" for="{what}" attr.name="{name}" attr.type="{kind}"/>\n'
            for what, attributes in (("node", _NODE), ("edge", _EDGE))
            for name, kind, _ in attributes
        ]
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
            f'{"".join(keys)}<graph id="harvest" edgedefault="directed">\n'
        )

    def node(self, node: str, values: Values) -> str:
        """Write a node."""
        return f'<node id="{node}">{_data("n", _NODE, values)}</node>\n'

    def edge(self, number: int, source: str, target: str, values: Values) -> str:
        """Write an edge; without an id, which readers would take for the sign of a multigraph."""
        return f'<edge source="{source}" target="{target}">{_data("e", _EDGE, values)}</edge>\n'


def _data(prefix: str, attributes: tuple[tuple[str, str, str], ...], values: Values) -> str:
    return "".join(
        f'<data key="{prefix}_{name}">{_safe(value)}</data>'
        for (name, _, _), value in zip(attributes, values, strict=True)
        if value is not None
    )


class _Gexf:
    """https://gexf.net, in its version 1.2, which all programs read."""

    ending = "gexf"
    between = "</nodes>\n<edges>\n"
    tail = "</edges>\n</graph>\n</gexf>\n"

    @property
    def head(self) -> str:
        """Declare the attributes; label and weight are GEXF's own."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">\n'
            '<graph defaultedgetype="directed">\n'
            f'<attributes class="node">\n{_declared(_NODE, "label")}</attributes>\n'
            f'<attributes class="edge">\n{_declared(_EDGE, "weight")}</attributes>\n<nodes>\n'
        )

    def node(self, node: str, values: Values) -> str:
        """Write a node."""
        named = dict(zip((name for name, _, _ in _NODE), values, strict=True))
        label = named.pop("label")
        found = _attvalues(tuple(named.items()))
        return f'<node id="{node}" label={_attribute(label)}>{found}</node>\n'

    def edge(self, number: int, source: str, target: str, values: Values) -> str:
        """Write an edge."""
        rel, weight, rank = values
        found = _attvalues((("rel", rel), ("user_list_rank", rank)))
        return f'<edge id="{number}" source="{source}" target="{target}" weight="{weight}">{found}</edge>\n'


def _declared(attributes: tuple[tuple[str, str, str], ...], built_in: str) -> str:
    return "".join(
        f'<attribute id="{name}" title="{name}" type="{kind}"/>\n' for name, _, kind in attributes if name != built_in
    )


def _attvalues(values: tuple[tuple[str, Any], ...]) -> str:
    known = [f'<attvalue for="{name}" value={_attribute(value)}/>' for name, value in values if value is not None]
    return f"<attvalues>{''.join(known)}</attvalues>"
