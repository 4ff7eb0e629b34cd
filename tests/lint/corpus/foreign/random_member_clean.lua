-- hand a random free worker a job
local worker = redis.call('SPOP', KEYS[1])
if not worker then
  return false
end
redis.call('HSET', KEYS[2], worker, ARGV[1])
return worker
