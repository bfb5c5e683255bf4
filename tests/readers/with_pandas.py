"""Read Parquet, CSV and JSON Lines with pandas."""

import pandas
from shown import FOLDER, show

READ = {
    "parquet": lambda path: pandas.read_parquet(path, dtype_backend="numpy_nullable"),
    # there are people called null
    "csv": lambda path: pandas.read_csv(path, dtype_backend="numpy_nullable", keep_default_na=False, na_values=[""]),
    "jsonl": lambda path: pandas.read_json(path, lines=True, dtype_backend="numpy_nullable", convert_dates=False),
}
show(
    {
        f"{ending}/{path.stem}": read(path).astype(object).itertuples(index=False, name=None)
        for ending, read in READ.items()
        for path in sorted((FOLDER / ending).glob(f"*.{ending}"))
    }
)
