"""Plant bugs and see which tests notice: `scripts/mutants`."""
