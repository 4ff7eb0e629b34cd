#!lua
-- As many slots as there can be are held or being passed on. The grace of those is over for all,
-- so that the wake list, which holds a token of each, is cut down to the new one.
-- @call owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa grace=<high>
local leases, passing, wake = KEYS[1], KEYS[2], KEYS[3]
local owner = ARGV[2]

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000
local ends, ended = string.format('%.0f', now_ms + 600000), string.format('%.0f', now_ms - 1000)

redis.call('UNLINK', leases, passing, wake)
for group = 1, 4 do
  local held, passed, tickets = {}, {}, {}
  for place = 1, 1000 do
    local member = string.format('%048d', group * 1000 + place)
    held[2 * place - 1], held[2 * place] = ends, member
    passed[2 * place - 1], passed[2 * place] = ended, member
    tickets[place] = member
  end
  redis.call('ZADD', leases, unpack(held))
  redis.call('ZADD', passing, unpack(passed))
  redis.call('RPUSH', wake, unpack(tickets))
end
redis.call('ZADD', leases, ends, owner)
redis.call('PEXPIRE', leases, 600000)
redis.call('PEXPIRE', passing, 600000)
redis.call('PEXPIRE', wake, 600000)
