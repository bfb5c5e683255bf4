"""Read graphs with NetworkX, and with igraph; say how good the communities are that stand on their nodes."""

import igraph
import networkx
from shown import FOLDER, show

tables = {}
for of in ("tracks", "people"):
    for form, read in (("graphml", networkx.read_graphml), ("gexf", networkx.read_gexf)):
        graph = read(FOLDER / f"{of}-{form}" / f"graph.{form}")
        members: dict[int, set[str]] = {}
        for node, told in graph.nodes(data=True):
            members.setdefault(told["community"], set()).add(node)
        found = networkx.community.modularity(graph, members.values(), weight="weight")
        tables[f"{of}/{form}"] = [(graph.is_directed(), len(graph), graph.number_of_edges(), len(members), found)]
    other = igraph.Graph.Read_GraphML(str(FOLDER / f"{of}-graphml" / "graph.graphml"))
    communities = [int(one) for one in other.vs["community"]]
    found = other.modularity(communities, weights=other.es["weight"])
    sizes = (other.vcount(), other.ecount(), len(set(communities)), found)
    tables[f"{of}/igraph"] = [(other.is_directed(), *sizes)]

ego = networkx.read_graphml(FOLDER / "all" / "graph.graphml")
middle = min((node for node in ego if node.startswith("u")), key=lambda node: int(node[1:]))
for radius in (1, 2, 3):
    around = networkx.ego_graph(ego.to_undirected(), middle, radius=radius)
    mine = networkx.read_graphml(FOLDER / f"ego-{radius}" / "graph.graphml")
    tables[f"ego/{radius}"] = [
        (set(around) == set(mine), around.number_of_edges() == mine.to_undirected().number_of_edges(), len(mine))
    ]
show(tables)
