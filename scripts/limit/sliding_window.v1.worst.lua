#!lua
-- The log holds n entries that have all expired: the next call removes every one.
-- For the token `ahead` they are all still to come, since the clock was set back: the next
-- call is refused and moves as many as it may.
-- @call limit=4000 period=60s token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
-- @call limit=4000 period=60s token=ahead
local log = KEYS[1]
local n, period_us, token = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[5]

local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local first_us, step_us = now_us - period_us, 0
if token == 'ahead' then
  first_us, step_us = now_us + 3600000000, 1
end

redis.call('UNLINK', log)
local index = 0
while index < n do
  local entries = {}
  for place = 1, math.min(n - index, 1000) do
    index = index + 1
    entries[2 * place - 1] = string.format('%.0f', first_us + index * step_us)
    entries[2 * place] = string.format('%032d:1', index)
  end
  redis.call('ZADD', log, unpack(entries))
end
redis.call('PEXPIRE', log, 600000)
