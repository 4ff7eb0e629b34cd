#!lua
-- The key was claimed with the longest value and the longest token.
-- @call ttl=<high> value=<high> token=<high>
local claim = KEYS[1]

local time = redis.call('TIME')
local head = string.format('%.0f:32:', tonumber(time[1]) * 1000)
redis.call('SET', claim, head .. string.rep('t', 32) .. string.rep('x', 4096), 'PX', 600000)
