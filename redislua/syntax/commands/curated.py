"""What no server tells about its commands. Kept by hand, and tested on live servers.

A row of `REPLIES` is a command (``|`` before a subcommand), what a script gets under RESP2,
and what changes that: a word of the call, or a number of arguments from which on. The types
are those of `Command.reply_to`; ``array<string?>`` is a table of strings and ``false``. The
first change that applies counts. Commands that are not here reply ``unknown``: those that
only a cluster answers, and those of modules.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BLOCK_REFUSED_BELOW", "REPLIES", "WRITES_WITHOUT_FLAG", "Reply"]

WRITES_WITHOUT_FLAG = frozenset({"PFCOUNT", "PUBLISH", "SPUBLISH"})
"""Refused in ``no-writes`` scripts although they lack the flag ``write``: replicas get them."""

BLOCK_REFUSED_BELOW = {"Redis": (7, 4), "Valkey": (8, 0)}
"""``XREAD BLOCK`` and ``XREADGROUP BLOCK`` in a script are errors in versions below this one;
from it on they answer at once. Other commands that block are ``noscript`` where refused."""

_ROWS = """
ACL|HELP                  array<status>
APPEND                    integer
BITCOUNT                  integer
BITFIELD                  array<integer?>
BITFIELD_RO               array<integer>
BITOP                     integer
BITPOS                    integer
BLMOVE                    string?
BLMPOP                    nested?
BLPOP                     array<string>?
BRPOP                     array<string>?
BRPOPLPUSH                string?
BZMPOP                    nested?
BZPOPMAX                  array<string>?
BZPOPMIN                  array<string>?
CLIENT|HELP               array<status>
COMMAND                   nested
COMMAND|COUNT             integer
COMMAND|DOCS              nested
COMMAND|GETKEYS           array<string>
COMMAND|GETKEYSANDFLAGS   nested
COMMAND|HELP              array<status>
COMMAND|INFO              nested
COMMAND|LIST              array<string>
COMMANDLOG|GET            nested
COMMANDLOG|HELP           array<status>
COMMANDLOG|LEN            integer
COMMANDLOG|RESET          status
CONFIG|HELP               array<status>
COPY                      integer
DBSIZE                    integer
DECR                      integer
DECRBY                    integer
DEL                       integer
DELIFEQ                   integer
DUMP                      string?
ECHO                      string
EXISTS                    integer
EXPIRE                    integer
EXPIREAT                  integer
EXPIRETIME                integer
FLUSHALL                  status
FLUSHDB                   status
FUNCTION|HELP             array<status>
GEOADD                    integer
GEODIST                   double?
GEOHASH                   array<string?>
GEOPOS                    nested
GEORADIUS                 array<string>; STORE/STOREDIST integer; WITHCOORD/WITHDIST/WITHHASH nested
GEORADIUSBYMEMBER         array<string>; STORE/STOREDIST integer; WITHCOORD/WITHDIST/WITHHASH nested
GEORADIUSBYMEMBER_RO      array<string>; WITHCOORD/WITHDIST/WITHHASH nested
GEORADIUS_RO              array<string>; WITHCOORD/WITHDIST/WITHHASH nested
GEOSEARCH                 array<string>; WITHCOORD/WITHDIST/WITHHASH nested
GEOSEARCHSTORE            integer
GET                       string?
GETBIT                    integer
GETDEL                    string?
GETEX                     string?
GETRANGE                  string
GETSET                    string?
HDEL                      integer
HEXISTS                   integer
HEXPIRE                   array<integer>
HEXPIREAT                 array<integer>
HEXPIRETIME               array<integer>
HGET                      string?
HGETALL                   array<string>
HGETDEL                   array<string?>
HGETEX                    array<string?>
HINCRBY                   integer
HINCRBYFLOAT              double
HKEYS                     array<string>
HLEN                      integer
HMGET                     array<string?>
HMSET                     status
HPERSIST                  array<integer>
HPEXPIRE                  array<integer>
HPEXPIREAT                array<integer>
HPEXPIRETIME              array<integer>
HPTTL                     array<integer>
HRANDFIELD                string?; 2+ array<string>
HSCAN                     nested
HSET                      integer
HSETEX                    integer
HSETNX                    integer
HSTRLEN                   integer
HTTL                      array<integer>
HVALS                     array<string>
INCR                      integer
INCRBY                    integer
INCRBYFLOAT               double
INFO                      string
KEYS                      array<string>
LASTSAVE                  integer
LATENCY|HELP              array<status>
LCS                       string; LEN integer; IDX nested
LINDEX                    string?
LINSERT                   integer
LLEN                      integer
LMOVE                     string?
LMPOP                     nested?
LOLWUT                    string
LPOP                      string?; 2+ array<string>?
LPOS                      integer?; COUNT array<integer>
LPUSH                     integer
LPUSHX                    integer
LRANGE                    array<string>
LREM                      integer
LSET                      status
LTRIM                     status
MEMORY|DOCTOR             string
MEMORY|HELP               array<status>
MEMORY|MALLOC-STATS       string
MEMORY|PURGE              status
MEMORY|STATS              nested
MEMORY|USAGE              integer?
MGET                      array<string?>
MIGRATE                   status
MODULE|HELP               array<status>
MOVE                      integer
MSET                      status
MSETEX                    integer
MSETNX                    integer
OBJECT|ENCODING           string?
OBJECT|FREQ               integer?
OBJECT|HELP               array<status>
OBJECT|IDLETIME           integer?
OBJECT|REFCOUNT           integer?
PERSIST                   integer
PEXPIRE                   integer
PEXPIREAT                 integer
PEXPIRETIME               integer
PFADD                     integer
PFCOUNT                   integer
PFMERGE                   status
PFSELFTEST                status
PING                      status; 1+ string
PSETEX                    status
PTTL                      integer
PUBLISH                   integer
PUBSUB|CHANNELS           array<string>
PUBSUB|HELP               array<status>
PUBSUB|NUMPAT             integer
PUBSUB|NUMSUB             array
PUBSUB|SHARDCHANNELS      array<string>
PUBSUB|SHARDNUMSUB        array
RANDOMKEY                 string?
RENAME                    status
RENAMENX                  integer
RESTORE                   status
RESTORE-ASKING            status
RPOP                      string?; 2+ array<string>?
RPOPLPUSH                 string?
RPUSH                     integer
RPUSHX                    integer
SADD                      integer
SCAN                      nested
SCARD                     integer
SCRIPT|HELP               array<status>
SDIFF                     array<string>
SDIFFSTORE                integer
SELECT                    status
SET                       status; GET string?; NX/XX/IFEQ/IFNE/IFDEQ/IFDNE status?
SETBIT                    integer
SETEX                     status
SETNX                     integer
SETRANGE                  integer
SINTER                    array<string>
SINTERCARD                integer
SINTERSTORE               integer
SISMEMBER                 integer
SLOWLOG|GET               nested
SLOWLOG|HELP              array<status>
SLOWLOG|LEN               integer
SLOWLOG|RESET             status
SMEMBERS                  array<string>
SMISMEMBER                array<integer>
SMOVE                     integer
SORT                      array<string?>; STORE integer
SORT_RO                   array<string?>
SPOP                      string?; 2+ array<string>
SPUBLISH                  integer
SRANDMEMBER               string?; 2+ array<string>
SREM                      integer
SSCAN                     nested
STRLEN                    integer
SUBSTR                    string
SUNION                    array<string>
SUNIONSTORE               integer
SWAPDB                    status
TIME                      array<string>
TOUCH                     integer
TTL                       integer
TYPE                      status
UNLINK                    integer
VADD                      integer
VCARD                     integer
VDIM                      integer
VEMB                      array<double>?
VGETATTR                  string?
VINFO                     array?
VISMEMBER                 integer
VLINKS                    nested?
VRANDMEMBER               string?; 2+ array<string>
VREM                      integer
VSETATTR                  integer
VSIM                      array<string>
WAIT                      integer
WAITAOF                   array<integer>
XACK                      integer
XACKDEL                   array<integer>
XADD                      string; NOMKSTREAM string?
XAUTOCLAIM                nested
XCLAIM                    nested; JUSTID array<string>
XDEL                      integer
XDELEX                    array<integer>
XGROUP|CREATE             status
XGROUP|CREATECONSUMER     integer
XGROUP|DELCONSUMER        integer
XGROUP|DESTROY            integer
XGROUP|HELP               array<status>
XGROUP|SETID              status
XINFO|CONSUMERS           nested
XINFO|GROUPS              nested
XINFO|HELP                array<status>
XINFO|STREAM              nested
XLEN                      integer
XPENDING                  nested
XRANGE                    nested
XREAD                     nested?
XREADGROUP                nested?
XREVRANGE                 nested
XSETID                    status
XTRIM                     integer
ZADD                      integer; INCR double?
ZCARD                     integer
ZCOUNT                    integer
ZDIFF                     array<string>
ZDIFFSTORE                integer
ZINCRBY                   double
ZINTER                    array<string>
ZINTERCARD                integer
ZINTERSTORE               integer
ZLEXCOUNT                 integer
ZMPOP                     nested?
ZMSCORE                   array<double?>
ZPOPMAX                   array<string>
ZPOPMIN                   array<string>
ZRANDMEMBER               string?; 2+ array<string>
ZRANGE                    array<string>
ZRANGEBYLEX               array<string>
ZRANGEBYSCORE             array<string>
ZRANGESTORE               integer
ZRANK                     integer?; WITHSCORE array?
ZREM                      integer
ZREMRANGEBYLEX            integer
ZREMRANGEBYRANK           integer
ZREMRANGEBYSCORE          integer
ZREVRANGE                 array<string>
ZREVRANGEBYLEX            array<string>
ZREVRANGEBYSCORE          array<string>
ZREVRANK                  integer?; WITHSCORE array?
ZSCAN                     nested
ZSCORE                    double?
ZUNION                    array<string>
ZUNIONSTORE               integer
"""


class Reply(NamedTuple):
    """What a script gets from a command.

    Attributes:
        plain: The type when nothing changes it.
        changes: Words of which one, or the number of arguments from which on, make it another.
        items: The type of each element of an array, ``""`` if they differ.
    """

    plain: str
    changes: tuple[tuple[frozenset[str] | int, str], ...]
    items: str


def _reply(text: str) -> Reply:
    """Read ``string?; 2+ array<string>``."""
    plain, *changes = text.split(";")
    found = [(_cause(cause), kind) for cause, kind in (change.split() for change in changes)]
    items = text.partition("<")[2].partition(">")[0]
    return Reply(_bare(plain), tuple((cause, _bare(kind)) for cause, kind in found), items)


def _cause(text: str) -> frozenset[str] | int:
    return int(text[:-1]) if text.endswith("+") else frozenset(text.split("/"))


def _bare(kind: str) -> str:
    """``array<string>?`` without what stands in the array."""
    before, _, rest = kind.strip().partition("<")
    return before + rest.partition(">")[2]


REPLIES: dict[str, Reply] = {
    name.replace("|", " "): _reply(text)
    for name, _, text in (row.partition(" ") for row in _ROWS.strip().splitlines())
}
"""What a script gets from each command."""
