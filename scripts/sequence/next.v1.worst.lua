#!lua
-- The last number is far ahead of the clock, as after it was set back.
-- @call count=<high> keep=<high>
redis.call('SET', KEYS[1], '9007199254000000', 'PX', 600000)
