"""A rule that fails is redislua's mistake: said in one line, and the other files go on."""

from __future__ import annotations

from redislua.errors import RedisLuaError

__all__ = ["RuleFailed"]


class RuleFailed(RedisLuaError):
    """A rule stopped with an exception: a mistake in redislua, not in the script.

    Attributes:
        file: The script it was looking at.
        code: The rule, or ``""`` where the file was still being read.
        cause: The exception.
    """

    def __init__(self, file: str, code: str, cause: Exception) -> None:
        super().__init__(file, code, cause)
        self.file = file
        self.code = code
        self.cause = cause

    def __str__(self) -> str:
        where = f"rule {self.code}" if self.code else "reading it"
        return (
            f"{where} failed with {type(self.cause).__name__}: {self.cause} "
            f"({_innermost(self.cause)}); this is a mistake in redislua, "
            "please report it with the script"
        )


def _innermost(error: Exception) -> str:
    """Where an exception was raised: module and line."""
    trace = error.__traceback__
    place = "unknown place"
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
