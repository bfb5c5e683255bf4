"""Read GraphML and GEXF with NetworkX."""

import networkx
from shown import FOLDER, show

GRAPHS = {
    "graphml": networkx.read_graphml(FOLDER / "graphml" / "graph.graphml"),
    "gexf": networkx.read_gexf(FOLDER / "gexf" / "graph.gexf"),
}
tables = {}
for name, graph in GRAPHS.items():
    tables[f"{name}/nodes"] = [(node, d["kind"], d["label"], d.get("genre")) for node, d in graph.nodes(data=True)]
    tables[f"{name}/edges"] = [
        (a, b, d["rel"], d["weight"], d.get("user_list_rank")) for a, b, d in graph.edges(data=True)
    ]
show(tables)
