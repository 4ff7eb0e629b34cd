-- pop from the first queue that has something
-- ARGV: queue names in order of priority
for i, name in ipairs(ARGV) do
  local job = redis.call('LPOP', 'resque:queue:' .. name)
  if job ~= nil then
    redis.call('INCR', 'resque:stat:popped')
    local decoded = cjson.decode(job)
    return {name, job, decoded['class']}
  end
end
return nil
