-- register one request of a throttled group; settings live in a hash
local settings, weights, expirations, running_by_client, queued_by_client = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local now = tonumber(ARGV[1])
local client = ARGV[2]
local index = ARGV[3]
local weight = tonumber(ARGV[4])
local expiration = tonumber(ARGV[5])

local room = function (max, running, reservoir)
  local left = nil
  if max ~= nil then left = max - running end
  if reservoir ~= nil and (left == nil or reservoir < left) then left = reservoir end
  return left
end

local sum_of = function (ids)
  local total = 0
  for _, w in ipairs(redis.call('hmget', weights, unpack(ids))) do
    total = total + (tonumber(w) or 0)
  end
  redis.call('hdel', weights, unpack(ids))
  return total
end

local tick = function ()
  local s = redis.call('hmget', settings, 'id', 'max', 'running', 'reservoir', 'refresh_every', 'refreshed_at')
  local id = s[1]
  local max = tonumber(s[2])
  local running = tonumber(s[3])
  local reservoir = tonumber(s[4])
  local refresh_every = tonumber(s[5])
  local refreshed_at = tonumber(s[6])
  local before = room(max, running or 0, reservoir)

  local expired = redis.call('zrangebyscore', expirations, '-inf', '(' .. now)
  if #expired > 0 then
    redis.call('zremrangebyscore', expirations, '-inf', '(' .. now)
    local freed = 0
    local part = {}
    for i = 1, #expired do
      part[#part + 1] = expired[i]
      if #part == 1000 or i == #expired then
        freed = freed + sum_of(part)
        part = {}
      end
    end
    running = running - freed
    redis.call('hset', settings, 'running', running)
  end

  if refresh_every ~= nil and now >= refreshed_at + refresh_every then
    redis.call('hset', settings, 'refreshed_at', now)
  end

  local after = room(max, running or 0, reservoir)
  if after ~= before then
    redis.call('publish', 'throttle_' .. id, 'room:' .. tostring(after))
  end
  return after
end

local left = tick()
if left ~= nil and weight > left then
  return {false, left}
end

redis.call('hincrby', settings, 'running', weight)
redis.call('hset', weights, index, weight)
if expiration ~= nil then
  redis.call('zadd', expirations, now + expiration, index)
end
redis.call('zincrby', running_by_client, weight, client)
redis.call('zincrby', queued_by_client, -1, client)
return {true, left}
