// What the page uses of the graph library, under one name.
import Graph from "graphology";
import { bidirectional } from "graphology-shortest-path/dijkstra";
import Sigma from "sigma";

export { bidirectional, Graph, Sigma };
