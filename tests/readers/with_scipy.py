"""Read the sparse matrix with scipy and numpy."""

import numpy
from scipy import sparse
from shown import FOLDER, show

users, items = numpy.load(FOLDER / "csr" / "user_ids.npy"), numpy.load(FOLDER / "csr" / "item_ids.npy")
matrix = sparse.load_npz(FOLDER / "csr" / "train.npz").tocoo()
show({"csr": zip(users[matrix.row], items[matrix.col], matrix.data, strict=True)})
