-- promote delayed jobs whose time has come
local prefix = 'q'
local types = redis.call('SMEMBERS', prefix .. ':job:types')
local promoted = 0

for _, jobType in ipairs(types) do
    local ids = redis.call('ZRANGE', prefix .. ':jobs:' .. jobType .. ':delayed', 0, -1)
    for _, zid in ipairs(ids) do
        local id = string.sub(zid, string.find(zid, '|') + 1)
        local at = redis.call('HGET', prefix .. ':job:' .. id, 'promote_at')
        if tonumber(at) <= tonumber(ARGV[1]) then
            redis.call('ZREM', prefix .. ':jobs:' .. jobType .. ':delayed', zid)
            redis.call('ZADD', prefix .. ':jobs:' .. jobType .. ':inactive', 0, zid)
            redis.call('LPUSH', prefix .. ':' .. jobType .. ':jobs', 1)
            promoted = promoted + 1
        end
    end
end

return promoted
