"""Read Parquet, CSV and JSON Lines with DuckDB."""

import duckdb
from shown import FOLDER, show

READ = {
    "parquet": "SELECT * FROM read_parquet(?)",
    "csv": "SELECT * FROM read_csv(?, sample_size = -1)",
    "jsonl": "SELECT * FROM read_json(?, format = 'newline_delimited', sample_size = -1)",
}
show(
    {
        f"{ending}/{path.stem}": duckdb.execute(sql, [str(path)]).fetchall()
        for ending, sql in READ.items()
        for path in sorted((FOLDER / ending).glob(f"*.{ending}"))
    }
)
