"""Read GraphML with igraph."""

import igraph
from shown import FOLDER, show

graph = igraph.Graph.Read_GraphML(str(FOLDER / "graphml" / "graph.graphml"))
names = graph.vs["id"]
show(
    {
        "graphml/nodes": zip(names, graph.vs["kind"], graph.vs["label"], graph.vs["genre"], strict=True),
        "graphml/edges": [
            (names[e.source], names[e.target], e["rel"], e["weight"], e["user_list_rank"]) for e in graph.es
        ],
    }
)
