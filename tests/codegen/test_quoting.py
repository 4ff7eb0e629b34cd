"""Text of a header never becomes code: the attacks on generators of this kind, each tried."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redislua.codegen.quoting import docstring, literal, source_lines
from redislua.codegen.render import render
from redislua.errors import ScriptsRefused
from redislua.spec.header import parse
from redislua.spec.registry import Registry

ATTACK = "__import__('sys').modules.setdefault('redislua_pwned', 1)"

HOSTILE = [
    "a\tb",
    f'"""; {ATTACK}; """',
    f"'''; {ATTACK}; '''",
    f'\\"\\"\\"; {ATTACK}',
    f'\\"""; {ATTACK}; """',
    "ends in a backslash \\",
    "ends in two \\\\",
    'ends in a quote "',
    "{{ 7 * 7 }} {% for x in y %} {# z #}",
    "{{ ''.__class__.__mro__ }}",
    "coding: utf-7 +AAo-",
    "it's; import os # ' \" ` $",
    "\\N{BULLET} \\x41 \\u0041 \\101",
    "%s %(x)s {0} {x!r} $x ${x}",
    "<b>&amp;&#39;</b>",
    "no\u00a0break\u3000blank",
]

TEMPLATE = """\
#!lua
--- {text}.
--
-- {text}
-- second line: {text}
--
-- @version 1.0.0
-- @key     note note:{{<id>}} string
-- @arg     words str = {text}
-- @returns Done at:int
-- @error   Odd {text}
-- @retry   safe
-- @budget  calls<=1 growth=1
-- @deprecated {text}
local words = "{body}"
"""


def render_with(text: str) -> tuple[Registry, str]:
    body = text.replace("\\", "\\\\").replace('"', '\\"')
    data = TEMPLATE.format(text=text, body=body).encode()
    script = parse("notes/write.v1.lua", data, family="notes", name="write", major=1)
    registry = Registry(Path("scripts"), (script,))
    return registry, render(registry)["notes.py"]


def assert_survives(text: str) -> None:
    registry, module = render_with(text)
    script = registry.scripts[0]

    names: dict[str, object] = {}
    exec(compile(module, "<generated>", "exec"), names)  # noqa: S102

    assert "redislua_pwned" not in sys.modules
    write, odd, constant = names["write"], names["OddError"], names["_WRITE"]
    assert inspect.getdoc(odd) == inspect.cleandoc(script.errors[0].text)
    documented = inspect.getdoc(write) or ""
    for line in (script.summary, *script.description.split("\n")):
        assert line.expandtabs().strip() in documented
    assert getattr(constant, "source") == script.source  # noqa: B009  # names is untyped
    assert inspect.signature(write).parameters["words"].default == script.args[0].default.value  # type: ignore[arg-type, union-attr]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_arrives_as_text(text):
    assert_survives(text)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(min_size=1, max_size=60))
def test_any_text_that_a_header_may_hold_arrives_as_text(text):
    text = text.strip()
    try:
        render_with(text)
    except ScriptsRefused:
        return
    assert_survives(text)


@given(st.text())
def test_a_docstring_reads_back_as_its_text(text):
    lines = [line.rstrip() for line in text.expandtabs().split("\n")]
    clean = inspect.cleandoc("\n".join(lines))

    written = docstring(clean)

    assert written.isascii()
    assert inspect.cleandoc(ast.literal_eval(written)) == clean


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
        st.binary(),
        st.tuples(st.text(), st.integers()),
    )
)
def test_a_literal_reads_back_as_its_value(value):
    written = literal(value)

    assert written.isascii()
    assert ast.literal_eval(written) == value


@given(st.binary())
def test_the_source_reads_back_as_its_bytes(source):
    assert b"".join(ast.literal_eval(line) for line in source_lines(source)) == source


def test_a_value_without_a_literal_is_an_error_and_not_a_repr():
    with pytest.raises(TypeError, match="object"):
        literal(object())
