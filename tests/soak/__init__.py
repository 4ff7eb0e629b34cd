"""Long runs under faults: with small counts by default, in full with ``--soak``."""
