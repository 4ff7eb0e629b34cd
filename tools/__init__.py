"""Programs for people who work on redislua. None of this is installed."""
