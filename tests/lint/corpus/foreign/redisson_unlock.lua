local done = redis.call('get', KEYS[2]); if done ~= false then return tonumber(done); end;
if (redis.call('hexists', KEYS[1], ARGV[1]) == 0) then return nil; end;
local holds = redis.call('hincrby', KEYS[1], ARGV[1], -1);
if (holds >= 1) then redis.call('pexpire', KEYS[1], ARGV[2]); redis.call('set', KEYS[2], 0, 'px', ARGV[3]); return 0; end;
redis.call('del', KEYS[1]);
redis.call(ARGV[4], KEYS[3], 'unlocked');
redis.call('set', KEYS[2], 1, 'px', ARGV[3]);
return 1;
