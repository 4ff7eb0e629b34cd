"""Broken and half-broken scripts, as many as are asked for, the same for one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from redislua.syntax.tokens import TOKEN

__all__ = ["CATALOGUE", "REALISTIC", "mutants"]

CATALOGUE = [path.read_bytes() for path in sorted(Path("scripts").rglob("*.lua"))]

REALISTIC = [
    b"""
local rcall = redis.call
local from, to, jobId = KEYS[1], KEYS[2], ARGV[1]
if rcall("ZREM", from, jobId) == 0 then return -3 end
local parts, found = {}, false
for word in string.gmatch(ARGV[2], "[^,]+") do parts[#parts + 1] = word; found = true end
repeat local last = table.remove(parts); if last == nil then break end until #parts == 0
rcall("LPUSH", to, jobId) rcall("XADD", KEYS[3], "*", "event", "moved", "jobId", jobId)
return { ok = 'moved' }
""",
    b"""
--[[ a lock that its holder may take again ]]
if (redis.call('exists', KEYS[1]) == 0) or (redis.call('hexists', KEYS[1], ARGV[2]) == 1) then
    redis.call('hincrby', KEYS[1], ARGV[2], 1);
    redis.call('pexpire', KEYS[1], ARGV[1]);
    return nil;
end;
return redis.call('pttl', KEYS[1]);
""",
    b"""
local function score(a, ...)
  local sum, n = 0, select('#', ...)
  for i = 1, n, 1 do sum = sum + (select(i, ...)) ^ 2 % 7 - -a * 0x1F / 1e3 end
  return sum, not (n >= 3 and a ~= 4 or #{...} <= 2)
end
local t = { [1] = 'a'; ["b"] = [==[ x ]] ]==], c = { d = function(self) return self.c end } }
while t.c ~= nil do t = t.c:d() .. "\\065\\n\\"" break end
return { score(tonumber(ARGV[1]) or 0, unpack(ARGV)), cjson.encode { n = .5 } }
""",
]

_WORDS = (
    b"and break do else elseif end false for function if in local nil not or repeat return then "
    b"true until while goto continue x y self ... .. . , ; : :: = == ~= ~ < <= << > >= >> + - * / "
    b"// % ^ # & | ! != && += ( ) { } [ ] [[ ]] [=[ ]=] -- --[[ ' \" \\ 1 0x 0xg 1e 1..2 3.4.5 .5 "
    b"1LL 0b1 'a' \"b\" [[c]] '\\300' '\\z' @ $ ? ` %s ${x}"
).split(b" ")
_PIECES = [*_WORDS, b"\n", b"\r\n", b"\r", b"\0", b"\xc3", b"\xff", "é“".encode(), b"\\\n", b"\x1b"]


def mutants(seed: int, count: int, *, after: int = 0) -> Iterator[bytes]:
    """Token mutants, truncated scripts, soups of tokens and random bytes.

    ``after`` is how many lines at the top of a script stay as they are.
    """
    rng = random.Random(seed)
    originals = [*CATALOGUE, *REALISTIC * 4]
    split = [[found[0] for found in TOKEN.finditer(_below(one, after))] for one in originals]
    tops = [one[: len(one) - len(_below(one, after))] for one in originals]
    for _ in range(count):
        draw = rng.random()
        if draw < 0.2:
            yield _soup(rng)
        elif draw < 0.25:
            yield b"\n" + rng.randbytes(rng.randrange(60))
        else:
            which = rng.randrange(len(split))
            yield tops[which] + _mutant(rng, list(split[which]))


def _below(source: bytes, lines: int) -> bytes:
    return source.split(b"\n", lines)[-1] if source.startswith(b"#!") else source


def _soup(rng: random.Random) -> bytes:
    glue = (b" ", b"", b"\n")
    return b"\n" + b"".join(
        rng.choice(_PIECES) + rng.choice(glue) for _ in range(rng.randrange(1, 16))
    )


def _mutant(rng: random.Random, words: list[bytes]) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2))):
        at = rng.randrange(len(words))
        match rng.randrange(5):
            case 0:
                del words[at]
            case 1:
                words.insert(at, rng.choice(_PIECES))
            case 2:
                words[at] = rng.choice(_PIECES)
            case 3:
                other = rng.randrange(len(words))
                words[at], words[other] = words[other], words[at]
            case _:
                cut = b"".join(words[: at + 1])
                return cut[: len(cut) - rng.randrange(3)]
        words = words or [b"\n"]
    return b"".join(words)
