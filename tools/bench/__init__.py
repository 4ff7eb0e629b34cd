"""How fast redislua calls scripts, side by side with everything else that can call them.

``make bench`` measures in an environment of its own, where the peers are installed::

    python -m tools.bench                              everything, some eight minutes
    python -m tools.bench --only asyncio --quick       one section, under a minute

One private server on a loopback port serves all contenders. Each contender lives in a
process of its own (`worker`), with its connections open and the script in the server's
cache. Rounds are interleaved and shuffled (`contest`); a ratio is the median over the
rounds of two contenders' rates *in the same round*. After each round the server is asked
how many scripts it ran and how many failed, and the replies are looked at: whoever
answers wrongly leaves the table with the reason.
"""
