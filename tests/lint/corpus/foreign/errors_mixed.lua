-- circuit breaker
local state = redis.call('HGET', KEYS[1], 'state') or 'closed'
local failures = tonumber(redis.call('HGET', KEYS[1], 'failures')) or 0
local threshold = tonumber(ARGV[1])

if state == 'open' then
  local opened = redis.call('HGET', KEYS[1], 'opened_at')
  if tonumber(ARGV[2]) - opened < 30000 then
    return redis.error_reply('BUSY circuit is open')
  end
  state = 'half'
end

if ARGV[3] == 'fail' then
  failures = failures + 1
  if failures >= threshold then
    redis.call('HMSET', KEYS[1], 'state', 'open', 'failures', failures, 'opened_at', ARGV[2])
    error({ err = 'circuit opened now', code = 503 })
  end
  redis.call('HSET', KEYS[1], 'failures', failures)
  return { err = 'failure noted' }
end
redis.call('HSET', KEYS[1], 'state', state, 'failures', 0)
return { ok = 'PASS' }
