#!lua
-- The clock was set back: the window ends beyond a period from now, so its end is cut back
-- and written, and the call is refused. The counts are so great that their products with
-- the longest period need the long division, for the estimate and for the wait.
-- @call limit=1000000000 period=31622400s cost=400000000
local window = KEYS[1]
local period_us = tonumber(ARGV[3])

local time = redis.call('TIME')
local ends_us = tonumber(time[1]) * 1000000 + 2 * period_us

redis.call(
  'HSET', window, 'v', '1', 'e', string.format('%.0f', ends_us), 'c', '1', 'p', '999999999'
)
redis.call('PEXPIRE', window, 600000)
