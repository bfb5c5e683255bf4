"""Read the atomic files with RecBole, by the configuration that comes with them."""

import os
import sys
import warnings

from shown import FOLDER, show

os.chdir(FOLDER)  # where it may write its logs
warnings.simplefilter("ignore", FutureWarning)

from recbole.config import Config  # noqa: E402
from recbole.data import create_dataset, data_preparation  # noqa: E402

tables = {}
for name in ("whole", "parts"):
    sys.argv = ["with_recbole"]  # RecBole reads the command line
    config = Config(
        model="Pop",
        dataset=name,
        config_file_list=[str(FOLDER / name / name / f"{name}.yaml")],
        config_dict={
            "data_path": str(FOLDER / name),
            "load_col": {
                "inter": ["user_id", "item_id", "rating", "list_order"],
                "item": ["item_id", "title", "artist_id", "genre", "tags", "duration_ms"],
                "user": ["user_id", "followers_count"],
                "net": ["source_id", "target_id"],
            },
            "state": "ERROR",
            "NEG_PREFIX": "neg_",
            "normalize_all": False,
            "eval_args": {"order": "TO", "split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "user", "mode": "full"},
        },
    )
    data = create_dataset(config)

    def words(dataset, column, values):
        """Lead inner numbers back to what stood in the file; 0 stands for nothing."""
        known = dataset.field2id_token[column]
        if hasattr(values, "ndim") and values.ndim == 1:
            return " ".join(known[int(value)] for value in values if int(value))
        return "" if int(values) == 0 else known[int(values)]

    def rows(dataset, feature, columns):
        """Give the rows of a feature as text."""
        found = {column: feature[column] for column in columns}
        numbers = [c for c in columns if dataset.field2type[c].value == "float"]
        return [
            [float(found[c][n]) if c in numbers else words(dataset, c, found[c][n]) for c in columns]
            for n in range(len(feature))
        ]

    tables[f"{name}/inter"] = rows(data, data.inter_feat, ["user_id", "item_id", "rating", "list_order"])
    tables[f"{name}/item"] = rows(data, data.item_feat, ["item_id", "title", "artist_id", "genre", "tags"])[1:]
    train, _, test = data_preparation(config, data)
    columns = ["user_id", "item_id", "list_order"]
    tables[f"{name}/train"] = rows(train.dataset, train.dataset.inter_feat, columns)
    tables[f"{name}/test"] = rows(test.dataset, test.dataset.inter_feat, columns)
show(tables)
