"""Scripts into Python text: a pure function of the registry, and how its result is written."""
