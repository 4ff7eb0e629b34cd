"""``python -m redislua.cli``."""

from redislua.cli import main

main()
