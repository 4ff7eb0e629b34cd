#!lua
-- The holds of all n holders are over: the next call removes every one.
-- For the owner `ahead` they are still to come, and more than a day ahead, since the clock was
-- set back: the next call is refused and moves as many as it may. One slot is being passed on,
-- and the token in the wake list is of no use, so that every command is called. For the owner
-- `token` all slots were given back to nobody: the next call finds the grace of every one over.
-- @call owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa limit=4000 hold=<high>
-- @call owner=ahead limit=4000 hold=<high> ticket=<high>
-- @call owner=token limit=4000 hold=<high> ticket=<high>
local leases, passing, wake = KEYS[1], KEYS[2], KEYS[3]
local n, owner = tonumber(ARGV[1]), ARGV[2]

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000
local first_ms, zset = now_ms - n - 1000, leases
if owner == 'ahead' then
  first_ms = now_ms + 90000000
elseif owner == 'token' then
  zset = passing
end

redis.call('UNLINK', leases, passing, wake)
local index = 0
while index < n do
  local entries, tickets = {}, {}
  for place = 1, math.min(n - index, 1000) do
    index = index + 1
    entries[2 * place - 1] = string.format('%.0f', first_ms + index)
    entries[2 * place] = string.format('%048d', index)
    tickets[place] = entries[2 * place]
  end
  redis.call('ZADD', zset, unpack(entries))
  if owner == 'token' then
    redis.call('RPUSH', wake, unpack(tickets))
  end
end
if owner == 'ahead' then
  redis.call('ZREMRANGEBYRANK', leases, 0, 0)
  redis.call('ZADD', passing, string.format('%.0f', now_ms + 10000), 'passed')
  redis.call('RPUSH', wake, 'old')
end
redis.call('PEXPIRE', leases, 600000)
redis.call('PEXPIRE', passing, 600000)
redis.call('PEXPIRE', wake, 600000)
