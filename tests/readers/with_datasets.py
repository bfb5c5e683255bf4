"""Load the Hugging Face folder, offline."""

import os
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=tempfile.mkdtemp())

from datasets import get_dataset_config_names, load_dataset
from shown import FOLDER, show

place = str(FOLDER / "hf")
names = get_dataset_config_names(place)
tables = {}
for name in names:
    for split, rows in load_dataset(place, name).items():
        tables[f"{name}/{split}"] = [tuple(row.values()) for row in rows]
tables["default"] = [tuple(row.values()) for rows in load_dataset(place).values() for row in rows]
show(tables)
