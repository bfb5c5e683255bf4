"""Statistics of samples of people: pure functions, each formula cited where it stands."""
