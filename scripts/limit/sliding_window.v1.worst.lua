#!lua
-- The log holds n entries that have all expired: the next call removes every one.
local log = KEYS[1]
local n, period_us = tonumber(ARGV[1]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local expired = string.format('%.0f', now_us - period_us)

redis.call('UNLINK', log)
local index = 0
while index < n do
  local entries = {}
  for place = 1, math.min(n - index, 1000) do
    index = index + 1
    entries[2 * place - 1] = expired
    entries[2 * place] = string.format('%032d:1', index)
  end
  redis.call('ZADD', log, unpack(entries))
end
redis.call('PEXPIRE', log, 600000)
