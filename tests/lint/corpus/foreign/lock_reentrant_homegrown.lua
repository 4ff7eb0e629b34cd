-- reentrant lock, per thread counter in a hash
-- KEYS[1] lock name
-- ARGV[1] lease ms, ARGV[2] owner id
if redis.call('exists', KEYS[1]) then
    if redis.call('hexists', KEYS[1], ARGV[2]) then
        redis.call('hincrby', KEYS[1], ARGV[2], 1)
        redis.call('pexpire', KEYS[1], ARGV[1])
        return 1
    end
    return redis.call('pttl', KEYS[1])
end
redis.call('hset', KEYS[1], ARGV[2], 1)
redis.call('pexpire', KEYS[1], ARGV[1])
return 1
