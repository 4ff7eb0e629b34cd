"""One function per tag of the header: reads its line into a `Draft`.

The order of `TAGS` is the order that a header must keep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from redislua.errors import HeaderError
from redislua.spec.cursor import DIGITS, LOWER, NAME_TAIL, Cursor
from redislua.spec.draft import Draft
from redislua.spec.model import (
    REDIS_TYPES,
    Arg,
    Budget,
    Channel,
    DeclaredError,
    Default,
    Group,
    Growth,
    Key,
    RedisType,
    Requirement,
    RetryClass,
    State,
    Type,
    Variant,
)
from redislua.spec.notation import Example, Position
from redislua.spec.pattern import scan_pattern
from redislua.spec.values import (
    check_count,
    looks_like_range,
    position,
    scan_bare_type,
    scan_default,
    scan_group,
    scan_integer,
    scan_range,
    scan_type,
)

RETRIES: tuple[RetryClass, ...] = ("safe", "conservative", "never")
GROWTHS: tuple[Growth, ...] = ("1", "log", "linear")
PRODUCTS: tuple[Literal["redis", "valkey"], ...] = ("redis", "valkey")
_Choice = TypeVar("_Choice", bound=str)
_FORMAT_TAIL = LOWER | DIGITS | {"-"}
_VERSION = DIGITS | {"."}


def scan_version(cursor: Cursor, draft: Draft) -> None:
    """``@version 1.0.0``."""
    start = cursor.at
    word = cursor.take_while(_VERSION)
    parts = word.split(".")
    if len(parts) != 3 or not all(_is_version_part(part) for part in parts):
        cursor.at = start
        cursor.fail("not a version", "major.minor.patch, as in 1.0.0")
    draft.version = word


def _is_version_part(part: str) -> bool:
    return 0 < len(part) <= 9 and (part == "0" or part[0] != "0")


def scan_key(cursor: Cursor, draft: Draft) -> None:
    """``@key name pattern redis-type [range] [expires]``."""
    start = cursor.at
    name = cursor.name("the key's name")
    where = position(cursor, start)
    variadic = cursor.accept("...")
    if draft.keys and draft.keys[-1].variadic:
        cursor.fail("a key behind a variadic key", "the variadic key last", start=start)
    draft.claim(cursor, start, name, "key")
    cursor.blanks()
    at = cursor.at
    pattern = scan_pattern(cursor)
    for placeholder in pattern.placeholders:
        draft.claim(cursor, at, placeholder, "placeholder")
    if draft.keys and (pattern.bare or draft.keys[0].pattern.bare):
        cursor.fail(
            "a second key beside one that the caller owns",
            "the key <...> alone: nothing proves that another shares its slot",
            start=at,
        )
    if draft.keys and pattern.tag_text != draft.keys[0].pattern.tag_text:
        cursor.fail(
            f"hash tag {{{pattern.tag_text}}} differs from {{{draft.keys[0].pattern.tag_text}}}",
            f"{{{draft.keys[0].pattern.tag_text}}}: all keys of a script share one slot",
            start=at,
        )
    redis_type = _scan_redis_type(cursor)
    cursor.blanks()
    count_at = cursor.at
    count = None
    if looks_like_range(cursor):
        count = scan_range(cursor, Type("int"))
        if not variadic:
            cursor.fail("a range on a key that is not variadic", "name... first", start=count_at)
        check_count(cursor, count, count_at)
    elif variadic:
        cursor.fail(
            "a variadic key without a range",
            "how many keys, behind the type, as in hash 1..256 expires",
        )
    if variadic and not pattern.placeholders:
        cursor.fail("a variadic key without a placeholder", "one that takes the values", start=at)
    cursor.blanks()
    expires = cursor.accept("expires")
    draft.keys.append(Key(name, pattern, redis_type, expires, count, where))


def _scan_redis_type(cursor: Cursor) -> RedisType:
    cursor.blanks()
    start = cursor.at
    word = cursor.take_while(NAME_TAIL)
    for redis_type in REDIS_TYPES:
        if redis_type == word:
            return redis_type
    cursor.at = start
    raise cursor.error(f"{word!r} is not a Redis type", f"one of {', '.join(REDIS_TYPES)}")


def scan_arg(cursor: Cursor, draft: Draft) -> None:
    """``@arg name type [range] [= default]``, or ``@arg name:(a:T b:T)... range``."""
    start = cursor.at
    name = cursor.name("the argument's name")
    where = position(cursor, start)
    draft.claim(cursor, start, name, "argument")
    if cursor.accept(":"):
        draft.groups.append(scan_group(cursor, name, where, reply=False))
        return
    if draft.groups:
        cursor.fail("a scalar behind a group", "scalars first, then groups", start=start)
    cursor.blanks()
    type_ = scan_type(cursor, reply=False)
    cursor.blanks()
    range_ = scan_range(cursor, type_) if looks_like_range(cursor) else None
    cursor.blanks()
    default = None
    if cursor.peek() == "=":
        if type_.kind in ("owner", "token"):
            cursor.fail(f"a default on type {type_.kind}", "no default: it is made for each call")
        cursor.accept("=")
        default = scan_default(cursor, type_, range_)
    if type_.kind == "token":
        default = Default(None)
    draft.args.append(Arg(name, type_, range_, default, where))


def scan_channel(cursor: Cursor, draft: Draft) -> None:
    """``@channel name pattern``."""
    start = cursor.at
    name = cursor.name("the channel's name")
    where = position(cursor, start)
    draft.claim(cursor, start, name, "channel")
    cursor.blanks()
    at = cursor.at
    pattern = scan_pattern(cursor)
    for placeholder in pattern.placeholders:
        draft.claim(cursor, at, placeholder, "placeholder")
    if not draft.keys and "key" in draft.broken:
        return
    if not draft.keys or pattern.tag_text != draft.keys[0].pattern.tag_text or pattern.bare:
        cursor.fail(
            "the channel's hash tag is not the keys'",
            "the hash tag of the keys: a shard channel lives in a slot too",
            start=at,
        )
    draft.channels.append(Channel(name, pattern, where))


def scan_returns(cursor: Cursor, draft: Draft) -> None:
    """``@returns Variant field:type … [group]``, or one bare type."""
    start = cursor.at
    if cursor.peek() in LOWER and cursor.peek():
        bare = scan_bare_type(cursor)
        if draft.variants or draft.bare:
            cursor.fail("a bare type beside another reply", "one bare type alone", start=start)
        draft.bare = bare
        return
    name = cursor.variant("a variant, or a bare type")
    where = position(cursor, start)
    if draft.bare:
        cursor.fail("a variant beside a bare type", "variants, or one bare type", start=start)
    if any(variant.name == name for variant in draft.variants):
        cursor.fail(f"variant {name} stands twice", "each variant once", start=start)
    fields, group = _scan_fields(cursor)
    draft.variants.append(Variant(name, fields, group, where))


def _scan_fields(cursor: Cursor) -> tuple[tuple[Arg, ...], Group | None]:
    fields: list[Arg] = []
    seen: set[str] = set()
    while not cursor.done:
        start = cursor.at
        name = cursor.name("a field, as in value:bytes")
        where = position(cursor, start)
        if name in seen:
            cursor.fail(f"field {name!r} stands twice", "each field once", start=start)
        seen.add(name)
        cursor.expect(":", f"':' and a type after {name!r}")
        if cursor.peek() == "(":
            group = scan_group(cursor, name, where, reply=True)
            if not cursor.done:
                cursor.fail("a field behind a group", "the group last: its rows end the reply")
            return tuple(fields), group
        fields.append(Arg(name, scan_type(cursor, reply=True), None, None, where))
        if cursor.peek() not in ("", " ", "\t"):
            cursor.fail("unexpected text after the type", "a blank, then the next field")
    return tuple(fields), None


def scan_error(cursor: Cursor, draft: Draft) -> None:
    """``@error Name text``."""
    start = cursor.at
    name = cursor.variant("the error's name, without 'Error'")
    where = position(cursor, start)
    if name.endswith("Error"):
        cursor.fail("the name ends in Error", "the name without it: it is added", start=start)
    if any(error.name == name for error in draft.errors):
        cursor.fail(f"error {name} stands twice", "each error once", start=start)
    if cursor.done:
        cursor.fail("the error has no text", "what it means, in one sentence")
    draft.errors.append(DeclaredError(name, cursor.rest(), where))


def scan_state(cursor: Cursor, draft: Draft) -> None:
    """``@state key format/number``."""
    start = cursor.at
    name = cursor.name("the key's name")
    where = position(cursor, start)
    key = next((key for key in draft.keys if key.name == name), None)
    if key is None and "key" in draft.broken:
        cursor.rest()
        return
    if key is None:
        cursor.fail(f"no @key is called {name!r}", "the name of a key above", start=start)
    if key.redis_type != "hash":
        cursor.fail(
            f"key {name!r} is a {key.redis_type}",
            "a hash: no other type has a field v to carry the number",
            start=start,
        )
    if any(state.key == name for state in draft.states):
        cursor.fail(f"the state of {name!r} stands twice", "each key once", start=start)
    cursor.blanks()
    at = cursor.at
    if cursor.peek() not in LOWER or not cursor.peek():
        cursor.fail("no format", "a format and its number, as in cache-entry/1")
    format_ = cursor.take_while(_FORMAT_TAIL)
    cursor.expect("/", "'/' and the format's number")
    number = scan_integer(cursor, "the format's number, from 1")
    if not 1 <= number <= 1_000_000:
        cursor.fail("not a format number", "a number from 1 to 1000000", start=at)
    draft.states.append(State(name, format_, number, where))


def scan_retry(cursor: Cursor, draft: Draft) -> None:
    """``@retry safe|conservative|never``."""
    draft.retry = _scan_word(cursor, RETRIES)


def scan_budget(cursor: Cursor, draft: Draft) -> None:
    """``@budget calls<=N growth=1|log|linear [n=<arg>|<group>|keys]``."""
    start = cursor.at
    cursor.expect("calls<=", "calls<= and a number, as in calls<=4 growth=1")
    calls = scan_integer(cursor, "a number of commands")
    if not 0 <= calls <= 1_000_000:
        cursor.fail("not a number of commands", "0 to 1000000", start=start)
    cursor.blanks()
    cursor.expect("growth=", "growth=1, growth=log or growth=linear")
    growth = _scan_word(cursor, GROWTHS)
    cursor.blanks()
    over = None
    if cursor.accept("n="):
        at = cursor.at
        over = cursor.name("the argument, the group or 'keys' that n counts")
        known = {arg.name for arg in draft.args} | {group.name for group in draft.groups} | {"keys"}
        if over not in known and "arg" not in draft.broken:
            cursor.fail(f"nothing is called {over!r}", "an argument, a group, or keys", start=at)
    if growth != "1" and over is None:
        cursor.fail(
            f"growth={growth} over nothing",
            "n= and what it grows with: an argument, a group, or keys, as in n=limit",
        )
    draft.budget = Budget(calls, growth, over)


def scan_requires(cursor: Cursor, draft: Draft) -> None:
    """``@requires redis>=7.4 valkey>=9.0``."""
    while not cursor.done:
        start = cursor.at
        product = _scan_word(cursor, PRODUCTS)
        if any(found.product == product for found in draft.requires):
            cursor.fail(f"{product} stands twice", "one bound per product", start=start)
        cursor.expect(">=", "'>=' and a version")
        at = cursor.at
        parts = cursor.take_while(_VERSION).split(".")
        if not all(_is_version_part(part) for part in parts) or len(parts) > 3:
            cursor.at = at
            cursor.fail("not a version", "a version such as 7.4")
        draft.requires.append(Requirement(product, tuple(int(part) for part in parts)))
    if not draft.requires:
        cursor.fail("no bound", "a bound per product, as in redis>=7.4 valkey>=9.0")


def scan_deprecated(cursor: Cursor, draft: Draft) -> None:
    """``@deprecated text``."""
    if cursor.done:
        cursor.fail("no text", "what to call instead")
    draft.deprecated = cursor.rest()


def scan_example(cursor: Cursor, draft: Draft) -> None:
    """``@example title``; its lines follow."""
    start = cursor.at
    if cursor.done:
        cursor.fail("the example has no title", "a title in words, then one call per line")
    title = cursor.rest()
    draft.examples.append(Example(title, (), Position(cursor.line, start + 1, len(title))))


def _scan_word(cursor: Cursor, words: tuple[_Choice, ...]) -> _Choice:
    start = cursor.at
    found = cursor.take_while(NAME_TAIL)
    for word in words:
        if word == found:
            return word
    cursor.at = start
    raise cursor.error(f"unexpected {found!r}", f"one of {', '.join(words)}")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: how to read it, and whether it may, or must, stand once."""

    scan: Callable[[Cursor, Draft], None]
    form: str
    many: bool = False
    required: bool = False


TAGS: dict[str, Tag] = {
    "version": Tag(scan_version, "@version 1.0.0", required=True),
    "key": Tag(scan_key, "@key name cache:{<key>} hash expires", many=True, required=True),
    "arg": Tag(
        scan_arg,
        "@arg name int 1..100 = 10; @arg name int = none; @arg rows:(id:str n:int)... 1..8",
        many=True,
    ),
    "channel": Tag(scan_channel, "@channel name cache:{<key>}:filled", many=True),
    "returns": Tag(scan_returns, "@returns Hit value:bytes", many=True, required=True),
    "error": Tag(scan_error, "@error BadState What it means.", many=True),
    "state": Tag(scan_state, "@state entry cache-entry/1", many=True),
    "retry": Tag(scan_retry, "@retry safe, conservative or never", required=True),
    "budget": Tag(scan_budget, "@budget calls<=4 growth=1", required=True),
    "requires": Tag(scan_requires, "@requires redis>=7.4 valkey>=9.0"),
    "deprecated": Tag(scan_deprecated, "@deprecated Use limit.gcra."),
    "example": Tag(scan_example, "@example one caller fills, the next waits", many=True),
}


def scan_tag(cursor: Cursor, draft: Draft, name: str) -> None:
    """Read the line of one tag to its end, or raise `HeaderError`."""
    tag = TAGS[name]
    if not tag.many and name in draft.once:
        raise HeaderError(
            cursor.file,
            f"@{name} stands twice",
            f"@{name} once",
            line=cursor.line,
            column=cursor.text.index("@") + 1,
            width=len(name) + 1,
            text=cursor.text,
        )
    draft.once.add(name)
    tag.scan(cursor, draft)
    if not cursor.done:
        cursor.fail("unexpected text at the end of the line", tag.form)
