"""The backbone of a weighted graph: the edges that are more than chance would give either of their ends. Pure.

The disparity filter (Serrano, Boguñá and Vespignani 2009, doi:10.1073/pnas.0808904106): if a node of k edges and
strength s spread s over them at random, one of weight w or more would come up with a chance of

    alpha = (1 - w / s) ^ (k - 1)

An edge is kept if that is below a level at one of its ends. What has many edges needs strong ones, and what has few
keeps its best: so weights are held against the degree of each end. An only edge has no other to be held against, and
alpha is 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def significance(graph: Any) -> npt.NDArray[np.float64]:
    """Give the lesser alpha of both ends for each entry of a symmetric CSR matrix with sorted columns, in its order."""
    degrees = np.diff(graph.indptr)
    strengths = np.asarray(graph.sum(axis=1)).ravel()
    rows = np.repeat(np.arange(graph.shape[0]), degrees)
    here = _alpha(graph.data, strengths[rows], degrees[rows])
    there = _alpha(graph.data, strengths[graph.indices], degrees[graph.indices])
    return np.minimum(here, there)


def _alpha(
    weights: npt.NDArray[np.float64], strengths: npt.NDArray[np.float64], degrees: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    result: npt.NDArray[np.float64] = np.maximum(1 - weights / strengths, 0.0) ** (degrees - 1)
    return result
