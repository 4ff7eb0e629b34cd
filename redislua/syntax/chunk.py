"""One script as the rules see it: its tree, its commands, and what is known of each value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import TypeVar

from redislua.spec.model import Script
from redislua.syntax.asked import Asked
from redislua.syntax.build import Builder, TooDeep
from redislua.syntax.commands import LINES, Command, table
from redislua.syntax.evaluate import Evaluator
from redislua.syntax.gate import problems
from redislua.syntax.lines import line_starts
from redislua.syntax.loops import Bound, bound_of
from redislua.syntax.nodes import (
    Block,
    Call,
    CallStatement,
    Comment,
    Expression,
    For,
    ForIn,
    Function,
    Loop,
    Name,
    Node,
    Repeat,
    Return,
    String,
    Table,
    While,
    bare,
)
from redislua.syntax.problem import SyntaxProblem
from redislua.syntax.reaching import function_around
from redislua.syntax.registered import registered
from redislua.syntax.sites import (
    CommandCall,
    caught_command,
    command_call,
    function_of,
    passed_by,
    path_of,
)
from redislua.syntax.targets import DEFAULT, Targets
from redislua.syntax.values import Value
from redislua.syntax.variables import Variable

__all__ = ["Chunk", "parse"]

N = TypeVar("N", bound=Node)

_CONDITIONAL, _COUNTED = (While, Repeat), (For, ForIn)
_HOLDERS = (Block, While, Repeat, For, ForIn, Function)
_SETRESP = ("redis.setresp", "server.setresp")


class Chunk:
    """One file.

    Attributes:
        path: As it was given.
        source: Its bytes.
        script: Its header, or None: a foreign file.
        targets: The servers that it is to run on.
        problems: Why Lua does not compile it; then all lists below are empty.
        main: The main chunk.
        commands: Where it calls Redis, in source order.
        variables: Its locals, parameters and loop variables, in source order.
        globals: Names that mean no local, in source order.
    """

    def __init__(
        self, source: bytes, *, path: str, script: Script | None, targets: Targets
    ) -> None:
        self.path = path
        self.source = source
        self.script = script
        self.targets = targets
        self.problems: tuple[SyntaxProblem, ...] = problems(source)
        refused = any(problem.kind != "dialect" for problem in self.problems)
        try:
            self._built = Builder(b"" if refused else source)
        except TooDeep:
            message = "nests deeper than is analysed: only its syntax was checked"
            self.problems += (SyntaxProblem(message, 1, 1, 1, "file"),)
            self._built = Builder(b"")
        self.main: Function = self._built.main
        self.variables: list[Variable] = self._built.variables
        self.globals: list[Name] = self._built.globals
        for call in self.calls:
            if call.method is None:
                call.path = path_of(call.callee)
        found = [command_call(call) for call in self.calls]
        self.commands: list[CommandCall] = [command for command in found if command is not None]
        by_node = {command.node: command for command in self.commands}
        caught = {
            call: command
            for call in self.calls
            if call.path == "pcall" and (command := caught_command(call)) is not None
        }
        for command in (*self.commands, *caught.values()):
            second = command.words()[0] if command.arguments else None
            if command.name is not None:
                command.row = _row(targets, command.name, second)
                if command.row is not None:
                    command.name = command.row.name
        self._command_of = by_node
        self._loops: dict[Block, list[Loop]] = {}
        has_setresp = any(call.path in _SETRESP for call in self.calls)
        self._asked = Asked(source, self._built, by_node, has_setresp=has_setresp)
        self._evaluator = Evaluator(
            by_node, caught, self._calls_of(), registered(self.calls), self._asked.is_read_after
        )

    def release(self) -> None:
        """Cut what refers back, so that the tree goes when the chunk does: it is of no use then.

        Thousands of scripts are read in one run, without waiting for the garbage collector.
        """
        self._evaluator = None  # type: ignore[assignment]
        self._built.release()

    # --- the text ----------------------------------------------------------------------------

    @property
    def shebang(self) -> bytes | None:
        """The first line, where it begins with ``#!``."""
        return self.source.split(b"\n", 1)[0] if self.source.startswith(b"#!") else None

    def text(self, node: Node) -> str:
        """What is written there."""
        return self.source[node.start : node.end].decode("utf-8", "replace")

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte, both from 1; columns count characters."""
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        return line, len(self.source[start:offset].decode("utf-8", "replace")) + 1

    def line(self, node: Node) -> int:
        """The line on which it begins, from 1."""
        return bisect_right(self._line_starts, node.start)

    @cached_property
    def _line_starts(self) -> list[int]:
        return line_starts(self.source)

    # --- what there is, in source order ------------------------------------------------------

    def of(self, kind: type[N]) -> Sequence[N]:
        """All nodes of a class."""
        return self._built.of(kind)

    @cached_property
    def contents(self) -> frozenset[object]:
        """What it consists of, as far as a rule may live on it.

        Classes of nodes, names of commands, and the functions of libraries that it calls:
        ``table.insert``, and ``:insert`` for any method of that name.
        """
        found: set[object] = self._built.kinds()
        found.update(command.name for command in self.commands)
        found.update(self._calls_by_path)
        found.update(f":{call.method}" for call in self.calls if call.method is not None)
        found.discard(None)  # what has no name
        return frozenset(found)

    @property
    def comments(self) -> Sequence[Comment]:
        """All comments."""
        return self.of(Comment)

    @property
    def calls(self) -> Sequence[Call]:
        """All calls, of commands and of anything else."""
        return self.of(Call)

    @property
    def returns(self) -> Sequence[Return]:
        """All returns, of functions too."""
        return self.of(Return)

    @property
    def functions(self) -> Sequence[Function]:
        """All functions, without the main chunk."""
        return self.of(Function)

    @property
    def tables(self) -> Sequence[Table]:
        """All table constructors."""
        return self.of(Table)

    @property
    def strings(self) -> Sequence[String]:
        """All strings; a field's name in ``a.b`` and ``{b = 1}`` is one, too."""
        return self.of(String)

    @cached_property
    def loops(self) -> list[Loop]:
        """All loops."""
        found: list[Loop] = [*self.of(While), *self.of(Repeat), *self.of(For), *self.of(ForIn)]
        return sorted(found, key=lambda loop: loop.start)

    # --- what is known -----------------------------------------------------------------------

    def value(self, expression: Expression) -> Value:
        """What an expression can be; of several values the first."""
        return expression.memo or self._evaluator.value(expression)

    def command_of(self, expression: Expression | None) -> CommandCall | None:
        """The command that an expression calls directly, or None."""
        return self._command_of.get(bare(expression))

    def means(self, expression: Expression | None) -> str | None:
        """``string.format`` for whatever means it, through aliases; None for others."""
        return path_of(expression)

    def calls_to(self, *paths: str) -> Iterator[Call]:
        """Calls of library functions, through aliases."""
        by_path = self._calls_by_path
        found = [call for path in paths if path in by_path for call in by_path[path]]
        return iter(sorted(found, key=attrgetter("start")) if len(paths) > 1 else found)

    @cached_property
    def _calls_by_path(self) -> dict[str | None, list[Call]]:
        found: dict[str | None, list[Call]] = {}
        for call in self.calls:
            if call.method is None:
                found.setdefault(call.path, []).append(call)
        return found

    def function_called(self, call: Call) -> Function | None:
        """The local function that a call calls, or None."""
        return function_of(call)

    def calls_of(self, function: Function) -> Sequence[Call]:
        """Every call of a local function; none where it may be called from elsewhere, too."""
        return self._calls.get(function) or ()

    def function_around(self, node: Node) -> Function:
        """The innermost function that a node is in; the main chunk if no other."""
        return function_around(node) or self.main

    def statement_of(self, node: Node) -> Node:
        """The statement that a node is part of, or is."""
        inner = node
        for outer in node.parents():
            if isinstance(outer, Block):
                return inner
            inner = outer
        return inner

    def is_dropped(self, call: Call) -> bool:
        """Whether nothing looks at what a call gives."""
        return isinstance(call.parent, CallStatement)

    def loops_around(self, node: Node) -> list[Loop]:
        """The loops in whose body, or repeated condition, a node is, innermost first.

        Those around the calls of a local function count for what is in it.
        """
        outer = node.parent
        while outer is not None and type(outer) not in _HOLDERS:
            outer = outer.parent
        if type(outer) is not Block:
            return self._loops_around(node, ())
        # What is in one block is in the same loops.
        found = self._loops.get(outer)
        if found is None:
            found = self._loops[outer] = self._loops_around(outer, ())
        return found

    def _loops_around(self, node: Node, inside: tuple[Function, ...]) -> list[Loop]:
        found: list[Loop] = []
        child: Node = node
        for outer in node.parents():
            if isinstance(outer, _CONDITIONAL) or (
                isinstance(outer, _COUNTED) and child is outer.body
            ):
                found.append(outer)
            elif isinstance(outer, Function):
                if outer not in inside:
                    calls = self._calls.get(outer) or []
                    most: list[Loop] = []
                    for call in calls:
                        loops = self._loops_around(call, (*inside, outer))
                        most = max(most, loops, key=len)
                    found += most
                return found
            child = outer
        return found

    def bound(self, loop: Loop) -> Bound:
        """How often a loop can run."""
        return bound_of(loop, self.value)

    def is_tested(self, expression: Expression) -> bool:
        """Whether the script asks what an expression is before it comes to this place.

        Asking is a condition, ``not``, ``and``, ``or``, a comparison with nil, false or
        a type's name, or ``assert``; of this expression, or of one that is written the same.
        """
        return self._asked.before(expression, expression.start + 1)

    def is_tested_before(self, expression: Expression, offset: int) -> bool:
        """Whether the script asks what an expression is in front of an offset."""
        return self._asked.before(expression, offset)

    def is_vain(self, node: Expression) -> bool:
        """Whether a reply, or an element, is asked ``== nil``: in vain, for it is never nil."""
        return self._asked.is_vain(node)

    # --- within ------------------------------------------------------------------------------

    def _calls_of(self) -> dict[Function, list[Call] | None]:
        """Every call of each local function; None for one that is also used otherwise."""
        found: dict[Function, list[Call] | None] = {}
        for function in self.functions:
            variable = function.variable
            if variable is None or variable.only_value() is not function:
                found[function] = None
                continue
            calls: list[Call] | None = []
            for read in variable.reads:
                parent = read.parent
                if not isinstance(parent, Call) or passed_by(parent, read) is None:
                    calls = None
                elif calls is not None:
                    calls.append(parent)
            found[function] = calls
        self._calls = found
        return found


def parse(
    source: bytes,
    *,
    path: str = "<script>",
    script: Script | None = None,
    targets: Targets = DEFAULT,
) -> Chunk:
    """Read one script; a text that Lua refuses gives a chunk with `Chunk.problems`."""
    return Chunk(source, path=path, script=script, targets=targets)


@lru_cache(maxsize=4096)
def _row(targets: Targets, name: str, second: bytes | None) -> Command | None:
    """What the newest line that knows a command says of it: first of the targets, then of all."""
    for line in (*reversed(targets.lines), *reversed(LINES)):
        row = table(line).get(name, second)
        if row is not None:
            return row
    return None
