"""The header grammar: what is read, and what is refused where and why."""

from __future__ import annotations

import hashlib

import pytest

from redislua.spec.model import Budget, Default, Range, Requirement, Type
from tests.spec.headers import GOOD, line_of, problems, read


def test_a_header_is_read_whole():
    script = read(GOOD)

    assert script.full_name == "cache.get_or_lock"
    assert script.summary == "Return the cached value, or elect one caller to refill it."
    assert script.description.startswith("On a miss one caller gets the lease")
    assert [key.pattern.text for key in script.keys] == [
        "cache:{<key>}:entry",
        "cache:{<key>}:lease",
    ]
    assert [key.redis_type for key in script.keys] == ["hash", "string"]
    assert all(key.expires for key in script.keys)
    assert [arg.name for arg in script.args] == ["owner", "hold", "mode"]
    assert script.args[1].range == Range(1, 600_000)
    assert script.args[2].type == Type("enum", ("one", "two"))
    assert script.args[2].default == Default("one")
    assert [variant.name for variant in script.variants] == ["Hit", "Fill", "Wait"]
    assert script.errors[0].code == "RLUA_BAD_STATE"
    assert str(script.states[0]) == "cache-entry/1"
    assert script.retry == "safe"
    assert script.budget == Budget(4, "1", None)
    assert len(script.examples[0].lines) == 2
    assert script.placeholders == ("key",)


def test_the_sha1_is_that_of_the_bytes():
    script = read(GOOD)

    assert script.source == GOOD.encode()
    assert script.sha1 == hashlib.sha1(GOOD.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("#!lua", ()),
        ("#!lua flags=no-writes", ("no-writes",)),
        ("#!lua flags=no-writes,allow-stale", ("no-writes", "allow-stale")),
    ],
)
def test_the_shebang_gives_the_flags(line, flags):
    script = read(GOOD.replace("#!lua", line, 1))

    assert script.flags == flags
    assert script.read_only == ("no-writes" in flags)


def test_every_optional_tag_is_read():
    text = GOOD.replace(
        "-- @example",
        "-- @requires redis>=7.4 valkey>=9.0.1\n-- @deprecated Use cache.read.\n-- @example",
    )

    script = read(text)

    assert script.requires == (Requirement("redis", (7, 4)), Requirement("valkey", (9, 0, 1)))
    assert script.deprecated == "Use cache.read."


@pytest.mark.parametrize(
    ("declared", "default"),
    [
        ("int = -3", -3),
        ("int 0..10_000 = 1_000", 1000),
        ("float = 0.5", 0.5),
        ("float -1.5..1.5 = 1.5", 1.5),
        ("str = a b", "a b"),
        ("bytes 0..4 = ab", b"ab"),
        ("bool = true", True),
        ("ms = 2s", 2000),
        ("us = 1ms", 1000),
        ("s = 1h", 3600),
        ("ms = 250", 250),
        ("int = none", None),
        ("str 1..4 = none", None),
        ("enum(one, two) = none", None),
    ],
)
def test_a_default_is_read_in_the_arguments_type(declared, default):
    script = read(GOOD.replace("enum(one, two) = one", declared))

    found = script.args[2].default

    assert found == Default(default)
    assert type(found.value) is type(default)


def test_a_token_needs_no_default_to_be_left_out():
    script = read(GOOD.replace("enum(one, two) = one", "token"))

    assert script.args[2].default == Default(None)


# Each row: what stands in the good header, what replaces it, and where the error must point.
WRONG = [
    # shebang and summary
    ("#!lua\n", "", 1, "does not start with a shebang"),
    ("#!lua\n", "#!lua  \n", 1, "blanks behind the shebang"),
    ("#!lua\n", "#!luajit\n", 1, "does not start with a shebang"),
    ("#!lua\n", "#!lua name=lib\n", 1, "unexpected"),
    ("#!lua\n", "#!lua flags=no-writes, allow-stale\n", 1, "unknown flag ''"),
    ("#!lua\n", "#!lua flags=allow-cross-slot-keys\n", 1, "unknown flag"),
    ("#!lua\n", "#!lua flags=no-writes,no-writes\n", 1, "repeated"),
    ("--- Return", "-- Return", 2, "unexpected '--'"),
    ("refill it.", "refill it", 2, "full stop"),
    ("--- Return the cached value, or elect one caller to refill it.", "---", 2, "no summary"),
    ("-- On a miss", "--On a miss", 4, "no blank"),
    ("-- On a miss", "--[[ On a miss", 4, "long comment"),
    # the tags as such
    ("@retry", "@retri", 17, "unknown tag @retri"),
    ("-- @retry   safe\n", "", 0, "@retry is missing"),
    ("-- @budget  calls<=4 growth=1\n", "", 0, "@budget is missing"),
    ("-- @version 1.0.0\n", "", 0, "@version is missing"),
    ("-- @retry   safe\n", "-- @retry   safe\n-- @retry   never\n", 18, "twice"),
    ("-- @retry   safe\n", "-- @retry   safe\n-- @arg     late int\n", 18, "stands behind"),
    ("-- @retry   safe\n", "-- @retry   safe\n-- some text\n", 18, "free text"),
    ("-- @retry   safe\n", "-- @retry   safe twice\n", 17, "end of the line"),
    ("-- @retry   safe\n", "-- @retry:  safe\n", 17, "unexpected"),
    # @version
    ("1.0.0", "1.0", 6, "not a version"),
    ("1.0.0", "01.0.0", 6, "not a version"),
    ("1.0.0", "v1.0.0", 6, "not a version"),
    ("1.0.0", "2.0.0", 6, "in a file of major 1"),
    # @key
    ("hash   expires", "hsah   expires", 7, "not a Redis type"),
    ("hash   expires", "hash   expire", 7, "end of the line"),
    ("hash   expires", "", 7, "not a Redis type"),
    ("@key     entry ", "@key     Entry ", 7, "unexpected 'Entry'"),
    ("@key     lease ", "@key     entry ", 8, "already the name of a key"),
    ("@key     lease ", "@key     key ", 8, "already the name of a placeholder"),
    ("cache:{<key>}:lease", "cache:{<kez>}:lease", 8, "differs from"),
    ("cache:{<key>}:lease", "cache:<key>:lease", 8, "before the hash tag"),
    ("cache:{<key>}:lease", "cache:lease", 8, "no hash tag"),
    ("cache:{<key>}:lease", "cache:{}:lease", 8, "hash tag is empty"),
    ("cache:{<key>}:lease", "cache:{<key>:lease", 8, "unexpected"),
    ("cache:{<key>}:lease", "cache:{<key><two>}:lease", 8, "second placeholder"),
    ("cache:{<key>}:lease", "cache:{<key>}:<a>:b", 8, "goes on after"),
    ("cache:{<key>}:lease", "cache:{<key>}:{x}", 8, "cannot hold"),
    ("cache:{<key>}:lease", "cache:{<Key>}:lease", 8, "needs a name"),
    ("cache:{<key>}:lease", "cache:{<key}:lease", 8, "unexpected"),
    ("cache:{<key>}:lease", "<key>", 8, "second key beside"),
    ("cache:{<key>}:lease", "<key>:lease", 8, "before the hash tag"),
    ("cache:{<key>}:lease", "cache:{<key>}:l\\x", 8, "cannot hold"),
    ("string expires", "string 1..4 expires", 8, "not variadic"),
    ("@key     lease ", "@key     lease... ", 8, "without a range"),
    # @arg
    ("ms 1..600_000", "millis", 10, "unknown type"),
    ("ms 1..600_000", "ms 5..1", 10, "range is empty"),
    ("ms 1..600_000", "ms ..", 10, "no bound"),
    ("ms 1..600_000", "ms 1..x", 10, "unexpected 'x'"),
    ("ms 1..600_000", "ms 1-6", 10, "unexpected '-6'"),
    ("ms 1..600_000", "ms 1..9_007_199_254_740_992", 10, "Lua cannot hold"),
    ("ms 1..600_000", "ms 1..5 = 9", 10, "outside 1..5"),
    ("ms 1..600_000", "ms = 1us", 10, "not a default"),
    ("ms 1..600_000", "ms =", 10, "no value"),
    ("ms 1..600_000", "bool 0..1", 10, "range on type bool"),
    ("ms 1..600_000", "bool = none", 10, "none on a bool"),
    ("ms 1..600_000", "str = none", 10, "for which empty is a value"),
    ("ms 1..600_000", "str -1..4", 10, "negative length"),
    ("ms 1..600_000", "owner = x", 10, "default on type owner"),
    ("ms 1..600_000", "float nan..1", 10, "end of the line"),
    ("ms 1..600_000", "int = NaN", 10, "not a default"),
    ("ms 1..600_000", "float = inf", 10, "not a default"),
    ("enum(one, two)", "enum(one, one)", 11, "twice"),
    ("enum(one, two)", "enum()", 11, "unexpected"),
    ("enum(one, two)", "enum(one two)", 11, "unexpected"),
    ("enum(one, two) = one", "enum(one, two) = three", 11, "not a default"),
    ("@arg     hold ", "@arg     owner ", 10, "already the name of a argument"),
    ("@arg     hold ", "@arg     class ", 10, "not free"),
    ("@arg     hold ", "@arg     match ", 10, "not free"),
    ("@arg     hold ", "@arg     namespace ", 10, "not free"),
    ("@arg     hold ", "@arg     deadline ", 10, "not free"),
    ("@arg     hold ", "@arg     ﬁeld ", 10, "unexpected"),
    ("@arg     hold ", f"@arg     {'x' * 64} ", 10, "too long"),
    ("hold       ms 1..600_000", "rows:(a:int)...", 10, "no range"),
    ("hold       ms 1..600_000", "rows:(a:int a:int)... 1..8", 10, "twice"),
    ("hold       ms 1..600_000", "rows:()... 1..8", 10, "unexpected"),
    ("hold       ms 1..600_000", "rows:(a:int) 1..8", 10, "unexpected blank"),
    ("hold       ms 1..600_000", "rows:(a:int)... 1..", 10, "not bounded"),
    ("hold       ms 1..600_000", "rows:(a:int)... 1..8", 11, "scalar behind a group"),
    # @returns
    ("Hit        value:bytes", "Hit        value:token", 12, "type token in a reply"),
    ("Hit        value:bytes", "Hit        value:bytes?x", 12, "unexpected text"),
    ("Hit        value:bytes", "Hit        value bytes", 12, "unexpected blank"),
    ("Hit        value:bytes age", "Hit        value:bytes value", 12, "twice"),
    ("Hit        value:bytes age", "Hit        rows:(a:int)... age", 12, "behind a group"),
    ("@returns Fill", "@returns Hit", 13, "stands twice"),
    ("@returns Fill", "@returns int", 13, "bare type beside"),
    ("@returns Fill", "@returns fill", 13, "unknown type"),
    ("@returns Fill", "@returns", 13, "the line ends here"),
    # @error
    ("BadState   The entry", "badState   The entry", 15, "unexpected"),
    ("BadState   The entry", "BadStateError The entry", 15, "ends in Error"),
    ("BadState   The entry was not written by this family.", "BadState", 15, "has no text"),
    # @state
    ("entry cache-entry/1", "other cache-entry/1", 16, "no @key is called"),
    ("entry cache-entry/1", "lease cache-entry/1", 16, "is a string"),
    ("entry cache-entry/1", "entry cache-entry/0", 16, "not a format number"),
    ("entry cache-entry/1", "entry cache-entry", 16, "the line ends here"),
    # @retry, @budget
    ("@retry   safe", "@retry   sometimes", 17, "unexpected 'sometimes'"),
    ("calls<=4 growth=1", "calls<4 growth=1", 18, "unexpected"),
    ("calls<=4 growth=1", "calls<=4 growth=linear", 18, "over nothing"),
    ("calls<=4 growth=1", "calls<=4 growth=linear n=what", 18, "nothing is called"),
    ("calls<=4 growth=1", "calls<=4 growth=linear n=keys", 18, "without a variadic key"),
    ("calls<=4 growth=1", "calls<=-1 growth=1", 18, "not a number of commands"),
    # @example
    ("-- @example one caller fills, the next waits", "-- @example", 19, "no title"),
    ("hold=500ms -> Fill", "hold=500ms", 20, "expects nothing"),
    ("hold=500ms -> Fill", "hold='500 -> Fill", 20, "quote is not closed"),
    ("hold=500ms -> Fill", "hold= -> Fill", 20, "no value"),
    ("hold=500ms -> Fill", "hold=b'\\q' -> Fill", 20, "unknown escape"),
    ("hold=500ms -> Fill", "hold=[a -> Fill", 20, "no value"),
    ("hold=500ms -> Fill", "hold=500ms ->", 20, "nothing is expected"),
    ("hold=500ms -> Fill", "hold=500ms -> Fill x", 20, "no comparison"),
    ("hold=500ms -> Fill", "hold=500ms -> error bad", 20, "unexpected 'bad'"),
    ("--   get_or_lock key=user:1 owner=a", "--  get_or_lock key=user:1 owner=a", 20, "free text"),
    ("--   get_or_lock key=user:1 owner=a hold=500ms -> Fill", "--   wait 1y", 20, "time to wait"),
]


@pytest.mark.parametrize(("old", "new", "line", "problem"), WRONG)
def test_a_wrong_header_names_its_place_and_what_was_expected(old, new, line, problem):
    assert old in GOOD

    found = problems(GOOD.replace(old, new, 1))

    mine = [error for error in found if problem in error.problem]
    assert mine, [str(error) for error in found]
    error = mine[0]
    assert error.line == line
    assert error.expected
    assert error.file == "cache/get_or_lock.v1.lua"
    if line:
        text = GOOD.replace(old, new, 1).split("\n")[line - 1]
        assert error.text == text
        assert 1 <= error.column <= len(text) + 1


def test_the_caret_stands_under_the_offending_word():
    error = problems(GOOD.replace("hash   expires", "hsah   expires"))[0]

    shown = str(error).split("\n")

    assert shown[0] == "cache/get_or_lock.v1.lua:7:46: 'hsah' is not a Redis type"
    assert shown[1][2 + error.column - 1 :].startswith("hsah")
    assert shown[2] == "  " + " " * 45 + "^^^^"
    assert shown[3] == "  expected one of string, hash, list, set, zset, stream"


def test_all_errors_of_a_file_are_reported_in_one_run():
    text = (
        GOOD.replace("hash   expires", "hsah   expires")
        .replace("1..600_000", "1..x")
        .replace("@retry ", "@retri ")
        .replace("calls<=4", "calls=4")
    )

    found = problems(text)

    places = [(error.line, error.problem[:12]) for error in found]
    assert places == sorted(places)
    assert {error.line for error in found} == {0, 7, 10, 17, 18}


def test_a_line_that_rests_on_a_broken_one_is_not_judged():
    """One slip in @key gives one error, not a second one for its @state."""
    found = problems(GOOD.replace("hash   expires", "hsah   expires"))

    assert [error.line for error in found] == [line_of(GOOD, "hash   expires")]


def test_a_tag_out_of_place_is_still_read():
    text = GOOD.replace("-- @retry   safe\n", "").replace(
        "-- @key     entry", "-- @retry   safe\n-- @key     entry"
    )

    found = problems(text)

    assert "is missing" not in " ".join(error.problem for error in found)
    assert "stands behind @retry" in found[0].problem


def test_the_lines_of_an_example_without_a_title_are_passed_over():
    for broken in ("-- @example", "-- @example: title"):
        found = problems(GOOD.replace("-- @example one caller fills, the next waits", broken))

        assert [error.line for error in found] == [line_of(GOOD, "@example")]


def test_a_gap_in_the_header_is_named_and_not_what_it_hides():
    found = problems(GOOD.replace("-- @retry", "\n-- @retry"))

    assert [error.problem for error in found] == [
        "@retry stands below the header, which ends at line 16",
        "@budget stands below the header, which ends at line 16",
    ]
    assert [error.line for error in found] == [18, 19]


def test_no_header_at_all_is_one_clear_error():
    found = problems("#!lua\nreturn 1\n")

    assert found[0].problem == "there is no header"
    assert found[0].line == 1


def test_a_published_channel_is_refused_in_a_script_that_must_not_write():
    text = GOOD.replace("#!lua", "#!lua flags=no-writes", 1).replace(
        "-- @returns Hit ", "-- @channel filled cache:{<key>}:filled\n-- @returns Hit "
    )

    found = problems(text)

    assert [error.problem for error in found] == ["a channel in a no-writes script"]


def test_a_channel_must_share_the_keys_hash_tag():
    text = GOOD.replace(
        "-- @returns Hit ", "-- @channel filled cache:{<other>}:filled\n-- @returns Hit "
    )

    assert "hash tag is not the keys'" in problems(text)[0].problem
