-- profile and debug
local started = os.clock()
redis.breakpoint()
local total = 0
for i, key in ipairs(KEYS) do
  total = total + redis.call('STRLEN', key)
  redis.debug('key', key, total)
end
redis.log(redis.LOG_WARNING, 'took ' .. (os.clock() - started))
if redis.acl_check_cmd('SET', KEYS[1], 'x') then
  redis.call('SET', KEYS[1] .. ':len', total)
end
return total
