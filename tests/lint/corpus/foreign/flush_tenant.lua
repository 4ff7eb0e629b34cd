-- wipe a tenant. Dangerous!
if ARGV[1] == 'all' then
  redis.call('FLUSHDB')
  return 'OK'
end
redis.call('SELECT', ARGV[2])
local key = redis.call('RANDOMKEY')
while key do
  redis.call('DEL', key)
  key = redis.call('RANDOMKEY')
end
return 'OK'
