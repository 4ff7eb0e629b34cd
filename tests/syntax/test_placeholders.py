"""What another program fills in, and what only looks like it."""

from __future__ import annotations

import pytest

from redislua.syntax.placeholders import placeholders
from tests.syntax.mutants import CATALOGUE, REALISTIC, mutants

TEMPLATES = [
    ("redis.call('GET','%s')", ["%s"]),
    ("redis.pcall(\"SET\", 'user:%d', ARGV[1])", ["%d"]),
    ("redis.call('GET', 'a:%(name)s')", ["%(name)s"]),
    ("local c = redis.call\nreturn c('GET', 'a:' .. '%s')", ["%s"]),
    ("redis.call('GET', 'user:${id}')", ["${id}"]),
    ("local key = 'user:${user.id}' return redis.call('GET', key)", ["${user.id}"]),
    ("local key = '<%= key %>' return redis.call('GET', key)", ["<%= key %>"]),
    ("redis.call('GET', '{{ key }}')", ["{{ key }}"]),
    ("redis.call('EXPIRE', KEYS[1], %d)", ["%d"]),
    ("for i = 1, %d do redis.call('INCR', '%s') end", ["%d", "%s"]),
    ("redis.call('SET', @key, @value)", ["@key", "@value"]),
    ('--- @include "getTimestamp"\nreturn 1', ['--- @include "getTimestamp"']),
    ("-- $include(check.lua)\nreturn 1", ["-- $include(check.lua)"]),
]


@pytest.mark.parametrize(("text", "expected"), TEMPLATES)
def test_placeholders_are_found_where_they_stand(text, expected):
    found = placeholders(text.encode())

    assert [one.text for one in found] == expected
    assert [text[one.start : one.end] for one in found] == expected


LUA = [
    "redis.call('SET', KEYS[1], string.format('%s', ARGV[1]))",
    "redis.call('SET', KEYS[1], ('user:%s'):format(ARGV[1]))",
    "redis.call('SET', KEYS[1], ('a' .. '%d'):format(ARGV[1]))",
    "local fmt = 'user:%s' return fmt:format(ARGV[1])",
    "return ARGV[1]:match('^%s+(%d+)%s*$')",
    "return string.gsub(ARGV[1], '${name}', ARGV[2])",
    "local text = 'hi ${name}' return (text:gsub('%${(%w+)}', t))",
    "return redis.error_reply('ERR 50%s')",
    "redis.log(redis.LOG_NOTICE, '%s ${x}')",
    "return redis.call('GET', 'user:{id}')",
    "return redis.call('GET', 'lock#{id}')",
    "return redis.call('SET', KEYS[1], '{}')",
    "return redis.call('SET', KEYS[1], '50%')",
    "return redis.call('SCAN', 0, 'MATCH', '%s*')",
    "return redis.call('XREAD', 'STREAMS', KEYS[1], '$')",
    "return redis.call('JSON.GET', KEYS[1], '$.a', '$[0]')",
    "return redis.call('SET', KEYS[1], 'me@example.org')",
    "return {a, {b}, {{c}}}, x % s, #{...}",
    "local s = 1 return 7 %s",
    "-- the %s of ${x}, @include, <%= y %> and {{ z }}\nreturn 1",
    "-- @param key the key\n-- see @include below\nreturn 1",
    "return redis.call('SET', KEYS[1], '%d' % 3)",
]


@pytest.mark.parametrize("text", LUA)
def test_what_the_script_or_the_server_has_a_meaning_for_is_no_placeholder(text):
    assert placeholders(text.encode()) == ()


def test_catalogue_and_realistic_scripts_have_none():
    assert [
        placeholders(source) for source in [*CATALOGUE, *REALISTIC] if placeholders(source)
    ] == []


def test_any_bytes_can_be_asked():
    for source in mutants(5, 1_000):
        for one in placeholders(source):
            assert 0 <= one.start < one.end <= len(source)
