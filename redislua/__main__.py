"""``python -m redislua``."""

from redislua.cli import main

main()
