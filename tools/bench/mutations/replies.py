"""What Redis answers, misread, and what the script answers, mangled."""

from __future__ import annotations

import re

from redislua.spec.model import Script

from .seeding import CONTRACT, at_end, first_arg, kind, replaced, returned


@kind("RL302")
def reply_compared_with_nil(script: Script) -> bytes | None:
    """An absent value is `false`, never nil."""
    return replaced(script, r"if not format then", "if format == nil then")


@kind("RL302")
def get_compared_with_nil(script: Script) -> bytes | None:
    """The same, right where the command is called."""
    if script.keys[-1].redis_type != "string":
        return None
    lua = f"if redis.call('GET', {script.keys[-1].name}) == nil then\n  return redis.status_reply('NONE')\nend"
    return at_end(script, lua)


@kind("RL303")
def exists_as_a_condition(script: Script) -> bytes | None:
    """0 is true."""
    return replaced(script, r"(redis\.call\('EXISTS', \w+\)) == 1", r"\1")


@kind("RL303")
def expiry_negated(script: Script) -> bytes | None:
    """A number is never false."""
    key = script.keys[0].name
    return at_end(
        script, f"if not redis.call('PTTL', {key}) then return redis.status_reply('GONE') end"
    )


@kind("RL309", CONTRACT)
def hole_in_the_reply(script: Script) -> bytes | None:
    """What stands behind a nil is cut off."""
    return replaced(script, r"^return \{'(\w+)', ", r"return {'\1', nil, ", last=True)


@kind("RL310", CONTRACT)
def named_fields_in_the_reply(script: Script) -> bytes | None:
    """A table with names is an empty array."""
    return returned(script, "{status = 'done', count = #KEYS}")


@kind("RL308", CONTRACT)
def fraction_in_the_reply(script: Script) -> bytes | None:
    """A fraction is cut off."""
    form = r"math\.(?:ceil|floor)\(((?:[^(){}]|\([^()]*\))* / 1000)\)(?=[,}])"
    line = script.source.rfind(b"\n", 0, len(script.source) - 1)
    if not re.search(form.encode(), script.source[line:]):
        return None
    return replaced(script, form, r"(\1)", last=True)


@kind(CONTRACT)
def misspelt_variant(script: Script) -> bytes | None:
    """A reply whose first word the header does not have."""
    return replaced(script, r"^return \{'(\w+)'", r"return {'\1x'", last=True)


@kind(CONTRACT)
def field_too_many(script: Script) -> bytes | None:
    """A reply with a field that the header does not have."""
    return replaced(script, r"^(return \{'\w+'[^\n]*)\}", r"\1, #KEYS}", last=True)


@kind(CONTRACT)
def field_too_few(script: Script) -> bytes | None:
    """A reply without its last field."""
    return replaced(script, r"^(return \{'\w+'(?:, \w+)*), \w+\}", r"\1}", last=True)


@kind(CONTRACT, "RL311")
def path_without_reply(script: Script) -> bytes | None:
    """A path on which the script replies nothing."""
    return replaced(
        script, r"^return (\{'\w+'[^\n]*)", r"if #ARGV > 0 then\n  return \1\nend", last=True
    )


@kind("RL313")
def json_null(script: Script) -> bytes | None:
    """JSON's null is `cjson.null`, not nil."""
    arg = first_arg(script)
    if arg is None:
        return None
    lua = f"local decoded = cjson.decode({arg})\n"
    return at_end(script, lua + "if decoded.name == nil then return redis.status_reply('NONE') end")


@kind("RL314")
def index_for_element(script: Script) -> bytes | None:
    """`ipairs` gives the index first."""
    return at_end(script, "for key in ipairs(KEYS) do redis.call('EXISTS', key) end")


@kind("RL315")
def index_from_zero(script: Script) -> bytes | None:
    """Arrays begin at 1."""
    return at_end(script, "for index = 0, #KEYS do redis.call('EXISTS', KEYS[index]) end")
