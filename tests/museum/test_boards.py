"""P18, P19 and P31: unions that disturb one another, boards by name, shards by hope."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import redis

from redislua.bindings import leaderboard, visitors
from redislua.errors import InvalidArgument, WrongType
from redislua.patterns.leaderboard import BelowCut, Leaderboard
from redislua.runtime import run
from redislua.server import Cluster
from tests.surfaces import seeds

HOUR_MS = 3_600_000


def seen(client: redis.Redis, page: str, numbers: range) -> None:
    rows = [visitors.RecordVisitorsRow(f"v{one}") for one in numbers]
    run(client, visitors.record(site="shop", page=page, ttl=HOUR_MS, visitors=rows))


# --- visitors -------------------------------------------------------------------------------


def test_p18_two_unions_in_one_millisecond_are_two(client: redis.Redis) -> None:
    """A temporary key that is named by the clock is one key for both."""
    for page, numbers in (("a", range(50)), ("b", range(50, 100)), ("c", range(100, 160))):
        seen(client, page, numbers)
        client.pfadd(page, *(f"v{one}" for one in numbers))
    client.pfmerge("_merged_1732300000123", "a", "b")
    client.pfmerge("_merged_1732300000123", "c")
    assert abs(client.pfcount("_merged_1732300000123") - 160) <= 3

    counts = [
        run(client, visitors.count(site="shop", page=pages)).visitors
        for pages in (["a", "b"], ["c"])
    ]

    assert abs(counts[0] - 100) <= 2
    assert abs(counts[1] - 60) <= 2


def test_p18_a_caller_that_dies_leaves_nothing_behind(client: redis.Redis) -> None:
    """Neither a union, which was made for one count, nor pages that live for ever."""
    client.pfadd("page", "v1")
    client.pfmerge("_merged_1732300000123", "page")
    assert [client.pttl(key) for key in ("page", "_merged_1732300000123")] == [-1, -1]
    client.flushdb()

    seen(client, "a", range(3))
    run(client, visitors.count(site="shop", page=["a", "b"]))
    run(client, visitors.rollup(site="shop", into="month", page=["a", "b"], ttl=HOUR_MS))

    keys = client.keys("*")
    assert sorted(keys) == [b"visitors:{shop}:a", b"visitors:{shop}:month"]
    assert all(0 < client.pttl(key) <= HOUR_MS for key in keys)


def test_p18_pages_of_one_site_can_be_counted_together_on_a_cluster(bare_cluster: Cluster) -> None:
    with redis.RedisCluster(startup_nodes=seeds(bare_cluster.addresses)) as client:
        with pytest.raises(redis.exceptions.RedisClusterException, match="slot"):
            client.execute_command("PFCOUNT", "home:1", "home:2", "home:3")

        call = visitors.count(site="shop", page=[f"home:{day}" for day in range(16)])
        assert run(client, call) == visitors.CountCounted(0)


# --- boards ---------------------------------------------------------------------------------


def test_p19_of_equal_scores_the_first_leads_and_not_the_last_name(client: redis.Redis) -> None:
    board = Leaderboard(client, "week")
    for name in ("amy", "zed", "bob"):
        client.zadd("board", {name: 10})
        board.submit(name, 10)
    assert client.zrevrange("board", 0, -1) == [b"zed", b"bob", b"amy"]

    assert [place.id for place in board.top(3)] == ["amy", "zed", "bob"]


def test_p19_a_worse_score_does_not_replace_the_best(client: redis.Redis) -> None:
    board = Leaderboard(client, "week")
    for score in (10, 5):
        client.zadd("board", {"amy": score})
        board.submit("amy", score)
    assert client.zscore("board", "amy") == 5

    standing = board.rank("amy")
    assert standing is not None
    assert standing.score == 10


@pytest.mark.parametrize(("count", "given"), [(0, 3), (-1, 2)])
def test_p19_the_first_none_are_none(client: redis.Redis, count: int, given: int) -> None:
    """An index that is counted back from the end is no count."""
    board = Leaderboard(client, "week")
    for at in range(3):
        client.zadd("board", {f"p{at}": at})
        board.submit(f"p{at}", at)
    assert len(client.zrevrange("board", 0, count - 1)) == given

    with pytest.raises(InvalidArgument, match="count"):
        board.top(count)


def test_p19_who_is_dropped_learns_it(client: redis.Redis) -> None:
    """A pipeline that adds and trims says 1, a new player, and then has none."""
    board = Leaderboard(client, "week", max_entries=2)
    for name, score in (("amy", 9), ("bob", 8)):
        client.zadd("board", {name: score})
        board.submit(name, score)
    with client.pipeline() as pipe:
        pipe.zadd("board", {"zed": 1})
        pipe.zremrangebyrank("board", 0, -3)
        assert pipe.execute() == [1, 1]

    assert board.submit("zed", 1) == BelowCut(8.0)
    assert board.rank("zed") is None


def test_p19_a_board_for_nobody_is_refused_and_keeps_everybody(client: redis.Redis) -> None:
    Leaderboard(client, "week").submit("amy", 9)
    client.zadd("board", {"amy": 9})
    client.zremrangebyrank("board", 0, -(0 + 1))
    assert client.exists("board") == 0

    with pytest.raises(InvalidArgument, match="max_entries"):
        Leaderboard(client, "week", max_entries=0)
    assert Leaderboard(client, "week").size() == 1


def test_p19_errors_are_not_a_player_without_a_rank(client: redis.Redis) -> None:
    """A pipeline whose errors nobody reads takes them for an absent player."""
    key = "leaderboard:{week}:scores:high"
    client.set(key, "text", px=60_000)
    with client.pipeline(transaction=False) as pipe:
        pipe.zadd(key, {"amy": 1})
        pipe.zrevrank(key, "amy")
        found = pipe.execute(raise_on_error=False)
    assert all(isinstance(one, redis.ResponseError) for one in found)

    board = Leaderboard(client, "week")
    for ask in (lambda: board.submit("amy", 1), lambda: board.rank("amy"), lambda: board.top(1)):
        with pytest.raises(WrongType):
            ask()
    for score in (float("nan"), float("inf")):
        with pytest.raises(InvalidArgument, match="score"):
            board.submit("amy", score)


def test_p19_adding_and_trimming_at_once_keeps_as_many_as_it_should(client: redis.Redis) -> None:
    """Whoever reads the rank after another has trimmed reads that of nobody."""
    board, missed = Leaderboard(client, "week", max_entries=5), []

    def play(player: int) -> None:
        for score in range(25):
            standing = board.submit(f"p{player}:{score}", score)
            if not isinstance(standing, BelowCut) and standing.rank > 5:
                missed.append(standing)

    threads = [threading.Thread(target=play, args=(one,)) for one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert missed == []
    assert [place.score for place in board.top(5)] == [24, 24, 24, 24, 23]
    assert client.hlen("leaderboard:{week}:ids:high") == 6


def test_p31_a_hot_board_is_spread_by_its_players(bare_cluster: Cluster) -> None:
    """Keys for a day, a week and a month are three keys, wherever they lie: not a spread board."""
    with redis.RedisCluster(startup_nodes=seeds(bare_cluster.addresses)) as client:
        board = Leaderboard(client, "hot", shards=24)
        for at in range(240):
            board.submit(f"p{at}", at)

        places: Counter[str] = Counter()
        for shard in range(24):
            call = leaderboard.page(board=f"hot:{shard}", order="high")
            places[str(client.get_node_from_key(call.keys[0].decode()))] += run(
                client, call
            ).entries
        assert len(places) == 3
        assert max(places.values()) < 2 * 240 / 3
        assert [place.id for place in board.top(5)] == [f"p{at}" for at in range(239, 234, -1)]
