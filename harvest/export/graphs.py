"""Write GraphML and GEXF, for Gephi, igraph, NetworkX and graph-tool: users `u1`, tracks `t1`, and what joins them.

Nodes carry what the tables `users` and `items` say of them. The graph is that of likes and follows (`all`), that of
`follows` alone, or the one of `tracks` or `people` that are near each other, undirected, with how likely each edge is
by chance (`analysis/projections.py`).

Streamed as text: XML of a large graph fits in no memory, neither ours nor, as a rule, that of its reader. Of tracks or
people near each other the edges are held, some 15 for each of them at most.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from harvest.errors import SettingsError
from harvest.export import tables
from harvest.export.choices import ExportChoices
from harvest.export.escaping import xml
from harvest.export.job import Job, OutFile
from harvest.export.rows import csv_of
from harvest.export.tables import Column

LARGEST = 200_000  # edges that readers of XML put up with

# Our types in GraphML and in GEXF; what is not named is text.
_TYPES = {
    "int64": ("long", "long"),
    "int32": ("int", "integer"),
    "int16": ("int", "integer"),
    "float64": ("double", "double"),
    "float32": ("double", "double"),
    "bool": ("boolean", "boolean"),
}
_TEXT = ("string", "string")
_RANKED = (Column("rel", "text"), Column("weight", "float64"), Column("user_list_rank", "int32"))
_NEAR = (
    Column("rel", "text"),
    Column("weight", "float64"),
    Column("common", "int32"),
    Column("shared", "float64"),
    Column("alpha", "float64"),
)

Values = Sequence[Any]
Edge = tuple[str, str, Values]


@dataclass(frozen=True, slots=True)
class Graph:
    """What is written: columns of nodes and edges, whether edges have a direction, and both, streamed."""

    node: tuple[Column, ...]
    edge: tuple[Column, ...]
    directed: bool
    nodes: Callable[[], Iterator[tuple[str, Values]]]
    edges: Callable[[], Iterator[Edge]]


def check_size(job: Job, *, force: bool) -> None:
    """Refuse a graph that no program for such files opens. Raises SettingsError."""
    what, edges = "interactions", job.selection.left.interactions
    if job.choices.graph == "follows":
        sql = f"SELECT count(*) FROM ({tables.follows(job.selection).sql})"  # noqa: S608 - our own text
        (edges,) = job.selection.connection.execute(sql).fetchone()
        what = "follows"
    elif job.choices.graph != "all":
        return  # it grows with the number of nodes alone
    if edges > LARGEST and not force:
        raise SettingsError(
            f"{edges:,} {what} make a {job.choices.format} file that few programs open. Keep the dense middle "
            "with --kcore 10 (or more), choose --format parquet and its item_item table, or insist with --force."
        )


def write_graphml(job: Job) -> list[OutFile]:
    """Write one GraphML file."""
    graph = _graph_of(job)
    return _write(job, graph, _GraphML(graph))


def write_gexf(job: Job) -> list[OutFile]:
    """Write one GEXF file."""
    graph = _graph_of(job)
    return _write(job, graph, _Gexf(graph))


def _write(job: Job, graph: Graph, dialect: _GraphML | _Gexf) -> list[OutFile]:
    path, edges = f"graph.{dialect.ending}", 0
    with (job.folder / path).open("w", encoding="utf-8", newline="") as file:
        file.write(dialect.head)
        for node, values in graph.nodes():
            file.write(dialect.node(node, values))
        file.write(dialect.between)
        for edges, (source, target, values) in enumerate(graph.edges(), start=1):
            file.write(dialect.edge(edges - 1, source, target, values))
        file.write(dialect.tail)
    columns = ("source", "target", *(column.name for column in graph.edge))
    return [
        OutFile(path, "graph", edges, columns),
        *(f for t in tables.maps(job.selection) for f in csv_of(job, t)),
    ]


def _graph_of(job: Job) -> Graph:
    """Give the graph that is wanted. Raises SettingsError where it cannot be had."""
    shape = job.choices.graph
    if shape in ("tracks", "people"):
        near = _near(job)
        ends = {end for one in near for end in one[:2]}
        of = _nodes_of(job, "track" if shape == "tracks" else "user")
        return Graph(of[0], _NEAR, directed=False, nodes=lambda: _only(of[1](), ends), edges=lambda: iter(near))
    columns, users = _nodes_of(job, "user")
    if shape == "follows":
        if not tables.has_rows(job.selection, tables.follows(job.selection)):
            raise SettingsError(
                "No follows between the exported people are in the file: crawl with --read +followings, or +followers."
            )
        return Graph(
            columns, _RANKED, directed=True, nodes=lambda: _only(users(), _followed(job)), edges=lambda: _follows(job)
        )
    return _all(job)


def _all(job: Job) -> Graph:
    """Give users and tracks, with what is said of either; then likes, reposts and follows."""
    columns, users = _nodes_of(job, "user")
    of_items, items = _nodes_of(job, "track")
    every = (*columns, *(column for column in of_items if column not in columns))
    places = [every.index(column) for column in of_items]

    def nodes() -> Iterator[tuple[str, Values]]:
        rest = (None,) * (len(every) - len(columns))
        for node, values in users():
            yield node, (*values, *rest)
        for node, values in items():
            row: list[Any] = [None] * len(every)
            for place, value in zip(places, values, strict=True):
                row[place] = value
            yield node, row

    return Graph(every, _RANKED, directed=True, nodes=nodes, edges=lambda: chain(_likes(job), _follows(job)))


def _nodes_of(job: Job, kind: str) -> tuple[tuple[Column, ...], Callable[[], Iterator[tuple[str, Values]]]]:
    """Give what is said of users or tracks, kind and label first, and all of them."""
    table = tables.users(job.selection) if kind == "user" else tables.items(job.selection)
    title = table.names.index("title") if "title" in table.names else None
    kept = [place for place in range(1, len(table.columns)) if place != title]
    columns = (Column("kind", "text"), Column("label", "text"), *(table.columns[place] for place in kept))

    def nodes() -> Iterator[tuple[str, Values]]:
        rows = (row for some in job.batches(table) for row in some)
        names = _names(job) if kind == "user" else repeat(None)
        for row, name in zip(rows, names, strict=False):
            label = (name if title is None else row[title]) or f"{kind} {row[0]}"
            yield f"{kind[0]}{row[0]}", (kind, label, *(row[place] for place in kept))

    return columns, nodes


def _names(job: Job) -> Iterator[str | None]:
    """Give the names of all users, in the order of their table; none under pseudonyms."""
    if job.choices.ids == "pseudonym":
        return repeat(None)
    sql = "SELECT u.username FROM people AS p CROSS JOIN users AS u ON u.id = p.id ORDER BY p.id"
    return (row[0] for row in job.selection.connection.execute(sql))


def _only(nodes: Iterator[tuple[str, Values]], wanted: Container[str]) -> Iterator[tuple[str, Values]]:
    return ((node, values) for node, values in nodes if node in wanted)


def _likes(job: Job) -> Iterator[Edge]:
    for rows in job.batches(tables.interactions(job.selection)):
        for user, item, kind, weight, rank, *_ in rows:
            yield f"u{user}", f"t{item}", (kind, weight, rank)


def _follows(job: Job) -> Iterator[Edge]:
    for rows in job.batches(tables.follows(job.selection)):
        for source, target, *_ in rows:
            yield f"u{source}", f"u{target}", ("follow", 1.0, None)


def _followed(job: Job) -> set[str]:
    """Give the users who follow, or are followed by, one of those who leave; and the one in the middle."""
    ends = {end for edge in _follows(job) for end in edge[:2]}
    ego = job.selection.ego
    row = ego and job.selection.connection.execute("SELECT out FROM people WHERE id = ?", ego[1:]).fetchone()
    return ends | {f"u{row[0]}"} if row else ends


def _near(job: Job) -> list[Edge]:
    """Give the edges between tracks or people that leave. Raises SettingsError where there are none to be had."""
    from harvest.analysis.methods import SOURCES
    from harvest.analysis.projections import OF, edges

    choices, run = job.choices, job.selection.connection.execute
    letter, place = ("t", "things") if choices.graph == "tracks" else ("u", "people")
    found = edges(job.selection.connection, choices.graph, method=choices.backbone, level=choices.level)
    first = next(found, None)
    sound = "SELECT 1 FROM derivations WHERE method = ? AND id IN (SELECT id FROM sound)"
    if run(sound, (SOURCES[OF[choices.graph]],)).fetchone() is None:
        raise SettingsError(
            f"What is near each other among {choices.graph} rests on lists that are not whole: --include-incomplete"
            " takes it along."
        )
    out = dict(run(f"SELECT id, out FROM {place}"))  # noqa: S608 - one of two
    kept = [edge for edge in chain([] if first is None else [first], found) if edge.one in out and edge.other in out]
    if job.selection.ego:
        kept = _around(kept, choices, *job.selection.ego)
    if not kept:
        level = (
            "" if choices.level is None else f", whose alpha is below {choices.level:g}: a higher --level keeps more"
        )
        raise SettingsError(f"No two {choices.graph} that leave are near each other{level}.")
    return [
        (
            f"{letter}{out[edge.one]}",
            f"{letter}{out[edge.other]}",
            ("near", edge.score, edge.common, edge.shared, edge.alpha),
        )
        for edge in kept
    ]


def _around(kept: list[Any], choices: ExportChoices, kind: str, number: int) -> list[Any]:
    """Keep the edges between those within so many steps of one. Raises SettingsError where it has no edge."""
    beside: dict[int, set[int]] = {}
    for edge in kept:
        beside.setdefault(edge.one, set()).add(edge.other)
        beside.setdefault(edge.other, set()).add(edge.one)
    if number not in beside or kind != ("track" if choices.graph == "tracks" else "user"):
        raise SettingsError(f"{kind} {number} is near none of the {choices.graph} that leave: name another with --ego.")
    reached, last = {number}, {number}
    for _ in range(choices.radius):
        last = {other for one in last for other in beside[one]} - reached
        reached |= last
    return [edge for edge in kept if edge.one in reached and edge.other in reached]


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

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @property
    def head(self) -> str:
        """Declare the attributes."""
        keys = [
            f'<key id="{what[0]}_{one.name}" for="{what}" attr.name="{one.name}" attr.type="{_type(one)[0]}"/>\n'
            for what, columns in (("node", self._graph.node), ("edge", self._graph.edge))
            for one in columns
        ]
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
            f'{"".join(keys)}<graph id="harvest" edgedefault="{_direction(self._graph)}">\n'
        )

    def node(self, node: str, values: Values) -> str:
        """Write a node."""
        return f'<node id="{node}">{_data("n", self._graph.node, values)}</node>\n'

    def edge(self, number: int, source: str, target: str, values: Values) -> str:
        """Write an edge; without an id, which readers would take for the sign of a multigraph."""
        return f'<edge source="{source}" target="{target}">{_data("e", self._graph.edge, values)}</edge>\n'


def _type(column: Column) -> tuple[str, str]:
    return _TYPES.get(column.type, _TEXT)


def _direction(graph: Graph) -> str:
    return "directed" if graph.directed else "undirected"


def _known(columns: Sequence[Column], values: Values) -> Iterator[tuple[str, Any]]:
    """Give what is known, by name; what is true or false in words."""
    for column, value in zip(columns, values, strict=True):
        if value is not None:
            yield column.name, ("true" if value else "false") if column.type == "bool" else value


def _data(prefix: str, columns: Sequence[Column], values: Values) -> str:
    return "".join(f'<data key="{prefix}_{name}">{_safe(value)}</data>' for name, value in _known(columns, values))


class _Gexf:
    """https://gexf.net, in its version 1.2, which all programs read. Label and weight are GEXF's own."""

    ending = "gexf"
    between = "</nodes>\n<edges>\n"
    tail = "</edges>\n</graph>\n</gexf>\n"

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @property
    def head(self) -> str:
        """Declare the attributes."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">\n'
            f'<graph defaultedgetype="{_direction(self._graph)}">\n'
            f'<attributes class="node">\n{_declared(self._graph.node, "label")}</attributes>\n'
            f'<attributes class="edge">\n{_declared(self._graph.edge, "weight")}</attributes>\n<nodes>\n'
        )

    def node(self, node: str, values: Values) -> str:
        """Write a node."""
        named = dict(_known(self._graph.node, values))
        label = named.pop("label")
        return f'<node id="{node}" label={_attribute(label)}>{_attvalues(named)}</node>\n'

    def edge(self, number: int, source: str, target: str, values: Values) -> str:
        """Write an edge."""
        named = dict(_known(self._graph.edge, values))
        weight = named.pop("weight")
        return f'<edge id="{number}" source="{source}" target="{target}" weight="{weight}">{_attvalues(named)}</edge>\n'


def _declared(columns: Sequence[Column], built_in: str) -> str:
    return "".join(
        f'<attribute id="{column.name}" title="{column.name}" type="{_type(column)[1]}"/>\n'
        for column in columns
        if column.name != built_in
    )


def _attvalues(values: Mapping[str, Any]) -> str:
    known = [f'<attvalue for="{name}" value={_attribute(value)}/>' for name, value in values.items()]
    return f"<attvalues>{''.join(known)}</attvalues>"
