-- 延迟队列: move all due messages
local msgs = redis.call('zrangebyscore', KEYS[1], 0, ARGV[1])
if (msgs ~= nil and #msgs > 0) then
    redis.call('zrem', KEYS[1], unpack(msgs))
    for i, msg in ipairs(msgs) do
        local body = cjson.decode(msg)
        redis.call('lpush', 'queue:' .. body.topic, msg)
    end
end
return msgs
