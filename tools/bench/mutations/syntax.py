"""What a server refuses to load, or reads as something else."""

from __future__ import annotations

from redislua.spec.model import Script

from .seeding import at_end, at_top, kind, replaced


@kind("RL001", is_syntax=True)
def missing_end(script: Script) -> bytes | None:
    """The last block is not closed."""
    return replaced(script, r"^end\b", "", last=True)


@kind("RL001", is_syntax=True)
def missing_then(script: Script) -> bytes | None:
    """A condition without its `then`."""
    return replaced(script, r" then$", "")


@kind("RL001", is_syntax=True)
def open_string(script: Script) -> bytes | None:
    """A string whose quote is lost."""
    return replaced(script, r"redis\.call\('(\w+)'", r"redis.call('\1", last=True)


@kind("RL002", is_syntax=True)
def goto_out(script: Script) -> bytes | None:
    """A jump of Lua 5.2."""
    return at_top(script, "if #ARGV > 100 then goto out end\n::out::")


@kind("RL002", is_syntax=True)
def bit_operator(script: Script) -> bytes | None:
    """An operator of Lua 5.3."""
    return at_top(script, "local is_odd = #ARGV & 1 == 1")


@kind("RL002", is_syntax=True)
def unequal_of_another_language(script: Script) -> bytes | None:
    """`!=` for `~=`."""
    return replaced(script, r" ~= ", " != ")


@kind("RL002", is_syntax=True)
def floor_division(script: Script) -> bytes | None:
    """`//` of Lua 5.3."""
    return replaced(script, r" / 1000\b", " // 1000")


@kind("RL002", is_syntax=True)
def constant_attribute(script: Script) -> bytes | None:
    """`<const>` of Lua 5.4."""
    return replaced(script, r"^local ([A-Z]\w*) = ", r"local \1 <const> = ")


@kind("RL002", is_syntax=True)
def compound_assignment(script: Script) -> bytes | None:
    """`+=`, which no Lua has."""
    return at_end(script, "local tries = 0\ntries += 1")


@kind("RL002")
def hexadecimal_escape(script: Script) -> bytes | None:
    """An escape that Lua 5.1 reads as other text."""
    return replaced(script, r"\{'([A-Z])(\w+)'", r"{'\\x41\2'", last=True)


@kind("RL003")
def template_in_a_string(script: Script) -> bytes | None:
    """A key that a program is to fill in."""
    key = script.keys[0].name
    return replaced(script, rf"(redis\.call\(\s*'\w+', ){key}\b", r"\1'%s'")


@kind("RL001", "RL003", is_syntax=True)
def template_in_code(script: Script) -> bytes | None:
    """A number that a program is to fill in."""
    return at_top(script, "local window = ${window}")


@kind("RL004")
def space_between_flags(script: Script) -> bytes | None:
    """A space behind the comma, which makes an empty flag."""
    if script.read_only:
        return script.source.replace(b"flags=no-writes", b"flags=no-writes, allow-stale", 1)
    return None if script.flags else script.source.replace(b"#!lua", b"#!lua flags=allow-oom, ", 1)


@kind("RL004")
def misspelt_flag(script: Script) -> bytes | None:
    """A flag that no server knows."""
    if not script.flags:
        return None
    return script.source.replace(b"flags=", b"flags=allow-stal,", 1)
