"""The engine's words are the server's: replies, errors, globals, `redis`, on every server.

What the server answers to EVAL is the expectation; no expectation is written down here.
"""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from redislua.probe.engine import Engine
from redislua.probe.engine.state import Watch
from redislua.probe.engine.wire import Connection, Failure, Status
from tests.probe.engine.samples import script_call

TEXTS = [
    "return redis.call('ECHO',0.1)",
    "return redis.call('ECHO',1e17)",
    "return redis.call('ECHO',1/0)",
    "error('x')",
    "error()",
    "error({err='A b'})",
    "error({err='nocode'})",
    "return {err='nocode'}",
    "return redis.error_reply('nocode')",
    "return redis.error_reply('-X y')",
    "return nofoo",
    "x=1",
    "string.x=1",
    "return redis.call('FOO')",
    "return redis.call('GET')",
    "return redis.call('GET',{})",
    "return redis.call()",
    "return redis.call('SUBSCRIBE','x')",
    "local a=nil; return a+1",
    "local a=redis.pcall('LPUSH',KEYS[1]); local r={} for k,v in pairs(a) do r[#r+1]=k..'='..tostring(v) end return r",
    "local ok,a=pcall(redis.call,'FOO'); local r={} for k,v in pairs(a) do r[#r+1]=k..'='..tostring(v) end return r",
    "return {ok=1}",
    "return {double=1.5}",
    "return {1,nil,3}",
    "return {map={a=1}}",
    "return setmetatable({}, {__index={err='X'}})",
    "return redis.status_reply(1)",
    "return redis.sha1hex(1)",
    "return redis.sha1hex()",
    "redis.log(9,'x')",
    "redis.setresp(4)",
    "KEYS=1",
    "local t={} t.t=t return t",
    "return 1e300",
    "return redis.call('SELECT', 1)",
    "return {redis.error_reply('A b'), redis.status_reply('c')}",
    "return #table.concat({1.5,2})",
    "return tostring(redis.acl_check_cmd('get','x'))",
    "error(5)",
    "return function() end",
    "return {err='a\\nb'}",
    "return redis.error_reply('a  b')",
    "return redis.error_reply('')",
    "return redis.error_reply('-')",
    "return coroutine and coroutine.wrap(function() return redis.call('PING') end)()",
    "redis.call=1",
    "local a = {}; a.b.c=1",
    "return {verbatim_string={format='txt',string='x'}}",
    "return {set={a=true}}",
    "return {big_number='123'}",
    "redis.setresp(3); return redis.call('HGETALL','nope')",
    "return redis.call('PING')",
    "return {err=5}",
    "local a=redis.pcall('GET') local r={} for k,v in pairs(a) do r[#r+1]=k..'='..tostring(v) end table.sort(r) return r",
    "local a=redis.pcall('FOO') local r={} for k,v in pairs(a) do r[#r+1]=k..'='..tostring(v) end table.sort(r) return r",
    "redis.call('SET','k','v') local a=redis.pcall('LPUSH','k','x') local r={} for k,v in pairs(a) do r[#r+1]=k..'='..tostring(v) end table.sort(r) return r",
    "redis.call('SET','k','v') return redis.call('LPUSH','k','x')",
    "redis.call('SET','k','v') local ok,e=pcall(redis.call,'LPUSH','k','x') return e",
    "local ok,e=pcall(error,{err='x',a=1}) return e",
    "local ok,e=pcall(error,{a=1}) return type(e)",
    "local ok,e=xpcall(function() return redis.call('FOO') end,function(e) return type(e) end) return e",
    "return redis.call('HMGET','q','a','b')",
    "return redis.pcall('FOO')",
    "return {redis.pcall('FOO'),1}",
    "return 2^53",
    "return -3.99",
    "return 0/0",
    "return '\0­'",
    "return 1,2",
    "",
    "return ...",
    "return #ARGV",
    "local f=loadstring('return KEYS') return type(f())",
    "local f=loadstring('return zork') return f()",
    "return loadstring(')')",
    "return select(2,loadstring(')'))",
    "local f = load(function() return nil end) return f()",
    "return redis.call('BLPOP','nol',0)",
    "return redis.call('echo',1e15)",
    "return redis.call('ECHO',123456789012345678)",
    "return redis.call('ECHO',2^63)",
    "return redis.call('ECHO',-1.5)",
    "return redis.call('MULTI')",
    "return redis.call('XADD','st','*')",
    "return redis.call('SELECT',99)",
    "for i=1,10 do if i==5 then break end end return 7",
    "local n=0 for i=1,3 do for j=1,3 do if j==2 then break end n=n+1 end end return n",
    "local n=0 while n<5 do n=n+1 end return n",
    "local n=0 repeat local m=n n=n+1 until m>3 return n",
    "return (nil and 1) or (false or 'x') and 'y'",
    "local t={} for k,v in pairs({a=1}) do t[#t+1]=k end return t",
    "local co=coroutine.wrap(function(a) local b=coroutine.yield(a+1) return b*2 end) return {co(1),co(10)}",
    "return tostring(1e15)..'|'..1e100",
    "return redis.log(redis.LOG_DEBUG,'x')",
    "return redis.log('x')",
    "return redis.sha1hex('')",
    "return redis.status_reply('x y')",
    "return redis.error_reply('CODE\\r\\nx y\\r\\n')",
    "return redis.setresp()",
    "redis.setresp(3) return redis.call('HGETALL','hh')",
    "redis.setresp(3) return redis.call('ZADD','zz',1,'a')",
    "redis.setresp(3) return redis.call('ZSCORE','zz','nope')",
    "return ('x'):rep(3)",
    "return table.concat(KEYS)",
    "local x <const> = 1",
    "return 1 +",
    "goto = 1",
    "error('x',0)",
    "error('x',2)",
    "local function f() error('deep') end f()",
    "redis.call('GET',nil)",
    "return redis.call('GET',true)",
    "return redis.breakpoint()",
    "return redis.replicate_commands()",
    "return redis.set_repl(redis.REPL_ALL)",
    "return redis.REDIS_VERSION",
    "return tostring(redis.REDIS_VERSION_NUM)",
    "return redis.nope",
    "return math.nope",
    "return _G.nope",
    "_G.x=1",
    "rawset(KEYS,1,'x') return KEYS[1]",
    "ARGV[1]='y' return ARGV",
    "return redis.acl_check_cmd('nope')",
    "return tostring(redis.acl_check_cmd('set','x','y'))",
    "return {err='x y', ok='z'}",
    "return {ok='a\nb'}",
]
WATCHES: tuple[Watch, ...] = get_args(Watch)
_PLACE = re.compile(
    rb" script: (?:.*on )?(?:@user_script|\[string .*\]|return zork):(\d+)\.$", re.DOTALL
)


def said(reply: Any) -> Any:
    """A reply, an error without the sha1 and with its line, a status told from text."""
    if isinstance(reply, Failure):
        return ("error", _PLACE.sub(rb" line \1", reply))
    if isinstance(reply, list):
        return [said(one) for one in reply]
    return ("status", bytes(reply)) if isinstance(reply, Status) else reply


def without_kinds(reply: Any) -> Any:
    """What a client makes of a reply: a status is text."""
    if isinstance(reply, Exception):
        return str(reply)
    if isinstance(reply, tuple):
        return str(reply[1], "utf-8") if reply[0] == "error" else reply[1]
    return [without_kinds(one) for one in reply] if isinstance(reply, list) else reply


@pytest.fixture
def engine(server, client):
    with Engine(server.url) as opened:
        yield opened


@pytest.fixture
def connection(server):
    opened = Connection(server.url)
    yield opened
    opened.close()


@pytest.mark.parametrize("watch", WATCHES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_script_answers_what_eval_answers(text, watch, engine, connection, client):
    expected = without_kinds(said(connection.send((b"EVAL", text.encode(), b"0"))))
    client.flushall()

    run = engine.run(script_call(text), watch=watch)

    answered = said(Failure(run.error)) if run.error else run.reply
    assert str(without_kinds(answered)) == str(expected)


@pytest.mark.parametrize("number", [0.1, -1.5, 1e15, 1e17, 123456789012345678, 2.0**63, 1e300])
def test_a_number_is_written_into_a_command_as_the_server_writes_it(
    number, engine, connection, client
):
    text = f"redis.call('SET', KEYS[1], {number!r}) return redis.call('GET', KEYS[1])"
    expected = connection.send((b"EVAL", text.encode(), b"1", b"k"))

    assert engine.run(script_call(text, [b"k"])).reply == expected


def test_what_a_script_leaves_on_the_connection_is_put_back(engine, client):
    engine.run(script_call("redis.call('SELECT', 3) redis.setresp(3)"))

    run = engine.run(script_call("redis.call('SET', KEYS[1], 'here') return 1", [b"k"]))

    assert run.reply == 1
    assert client.get("k") == b"here"


def test_keys_and_arguments_are_bytes_as_they_are(engine, client):
    every = bytes(range(256))

    run = engine.run(script_call("return {KEYS[1], ARGV[1], #ARGV}", [every], [every, b""]))

    assert run.reply == [every, every, 2]


def test_time_stands_still_and_can_be_set(engine, client):
    text = "return {redis.call('TIME')[1], redis.call('TIME')[2], redis.call('TIME')[2]}"

    assert engine.run(script_call(text), clock=1_700_000_000_000_005).reply == [
        b"1700000000",
        b"5",
        b"5",
    ]
    _, second, third = engine.run(script_call(text)).reply
    assert second == third


def test_the_shebang_is_passed_over_and_lines_are_those_of_the_file(engine, client):
    run = engine.run(script_call("#!lua flags=no-writes\nlocal x\nreturn x.y"))

    assert run.error.startswith(b"ERR user_script:3: attempt to index local 'x' (a nil value)")
    assert run.error.endswith(b" script: on @user_script:3.")


def test_a_command_that_waits_does_not_wait(engine, connection, client):
    text = "return redis.call('BLPOP', KEYS[1], 0)"
    expected = connection.send((b"EVAL", text.encode(), b"1", b"k"))

    run = engine.run(script_call(text, [b"k"]))

    assert (run.error.split(b" script:")[0] if run.error else run.reply) == (
        expected.split(b" script:")[0] if isinstance(expected, Failure) else expected
    )
