"""Past one machine: the co-likes of tracks as one expression that any engine can run over the Parquet export."""
