--[[
  Generic cell rate algorithm.
  KEYS[1]  theoretical arrival time (microseconds, as text)
  ARGV[1]  emission interval in microseconds
  ARGV[2]  burst tolerance in microseconds
  returns  { allowed, retry after in microseconds }
]]
local interval = tonumber(ARGV[1])
local tolerance = tonumber(ARGV[2])

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

local tat = tonumber(redis.call('GET', KEYS[1]))
if not tat or tat < now then
  tat = now
end

local allow_at = tat + interval - tolerance
if now < allow_at then
  return { 0, allow_at - now }
end

tat = tat + interval
local text = string.format('%.0f', tat)
redis.call('SET', KEYS[1], text, 'PX', math.ceil((tat - now) / 1000))
return { 1, 0 }
