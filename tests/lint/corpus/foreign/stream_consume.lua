-- read a batch and move what was tried too often to a dead stream
local msgs = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 10, 'BLOCK', 2000, 'STREAMS', KEYS[1], '>')
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 100)
for _, p in ipairs(pending) do
  local id, consumer, idle, delivered = p[1], p[2], p[3], p[4]
  if delivered > 5 then
    local entry = redis.call('XRANGE', KEYS[1], id, id)
    redis.call('XADD', KEYS[1] .. ':dead', '*', 'id', id, 'body', entry[1][2][2])
    redis.call('XACK', KEYS[1], ARGV[1], id)
  end
end
return msgs
