-- gatekeeper
if redis.call('EXISTS', KEYS[1]) == 0 then
  return redis.error_reply('LOADING tenant is not ready')
end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then
  return { err = 'NOAUTH unknown user' }
end
if redis.call('GET', KEYS[3]) == 'moved' then
  return redis.error_reply('MOVED to another region')
end
if redis.call('SCARD', KEYS[2]) > 100 then
  return redis.error_reply('-FULL too many users')
end
return 'ERR not implemented'
