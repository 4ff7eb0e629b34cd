#!lua
-- The clock was set back: the stored time is far beyond the ceiling, so the call is refused
-- and the time is cut back, which runs every part of the script and all its commands.
-- @call limit=1000 period=60s burst=1000 count=1000 max_debt=1000
local state = KEYS[1]

local time = redis.call('TIME')
local full_us = (tonumber(time[1]) + 31622400) * 1000000

redis.call('SET', state, string.format('%.0f', full_us), 'PX', 600000)
