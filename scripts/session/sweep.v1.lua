#!lua flags=allow-oom
--- Remove sessions that are over from the index of a user, up to 100 of them.
--
-- `create` does so as well, and the whole index expires with its last session: this is
-- for users who have many. Call it again while it removes 100.
--
-- @version 1.0.0
-- @key     index        session:{<user>}:index zset expires
-- @returns Swept        sessions:int
-- @retry   safe
-- @budget  calls<=3 growth=1
-- @example those that are over
--   session.create user=ann sid=a idle=100ms absolute=100ms fields=[] -> Created
--   session.create user=ann sid=b idle=1h absolute=1d fields=[] -> Created
--   wait 150ms
--   sweep user=ann -> Swept sessions=1
--   sweep user=ann -> Swept sessions=0
-- @example nothing to do
--   sweep user=bob -> Swept sessions=0

local index = KEYS[1]

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local ended = redis.call(
  'ZRANGE', index, '-inf', string.format('%.0f', now_ms), 'BYSCORE', 'LIMIT', 0, 100
)
if #ended > 0 then
  redis.call('ZREM', index, unpack(ended))
end
return {'Swept', #ended}
