"""Read Parquet, CSV and JSON Lines with Polars."""

import polars
from shown import FOLDER, show

READ = {
    "parquet": polars.read_parquet,
    "csv": lambda path: polars.read_csv(path, infer_schema_length=None),
    "jsonl": lambda path: polars.read_ndjson(path, infer_schema_length=None),
}
show(
    {
        f"{ending}/{path.stem}": read(path).rows()
        for ending, read in READ.items()
        for path in sorted((FOLDER / ending).glob(f"*.{ending}"))
    }
)
