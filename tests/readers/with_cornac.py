"""Read the tab-separated file with Cornac's reader, as ratings and as ratings in order."""

from cornac.data import Dataset, Reader
from shown import FOLDER, show

path = str(FOLDER / "tsv" / "interactions.tsv")
ratings, ordered = Reader().read(path, fmt="UIR"), Reader().read(path, fmt="UIRT")
trained = Dataset.from_uirt(ordered, seed=1)
show({"ratings": ratings, "ordered": ordered, "sizes": [(trained.num_users, trained.num_items, trained.num_ratings)]})
