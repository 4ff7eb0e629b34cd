#!lua flags=allow-oom
--- End all sessions of a user at once, or all but one: logout everywhere.
--
-- However many there are, it takes no longer: the index goes, and without it none of
-- them is valid any more. What is left of them expires by itself. sessions tells how many
-- were ended; a call sent again ends none.
--
-- @version 1.0.0
-- @key     index        session:{<user>}:index zset expires
-- @arg     keep         str 1..64 = none
-- @returns Revoked      sessions:int
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=6 growth=1
-- @example all of them
--   session.create user=ann sid=a idle=1h absolute=1d fields=[] -> Created
--   session.create user=ann sid=b idle=1h absolute=1d fields=[] -> Created
--   revoke_all user=ann -> Revoked sessions=2
--   revoke_all user=ann -> Revoked sessions=0
--   session.touch user=ann sid=a -> Revoked
-- @example all but this one
--   session.create user=bob sid=a idle=1h absolute=1d fields=[] -> Created
--   session.create user=bob sid=b idle=1h absolute=1d fields=[] -> Created
--   revoke_all user=bob keep=a -> Revoked sessions=1
--   revoke_all user=bob keep=a -> Revoked sessions=0
--   session.touch user=bob sid=a -> Live
--   revoke_all user=bob keep=nobody -> Revoked sessions=1

local index = KEYS[1]
local keep = ARGV[1]

if not keep or #keep > 64 then
  return redis.error_reply('RLUA_BAD_ARGUMENT keep must be at most 64 bytes')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local live = redis.call('ZCOUNT', index, string.format('(%.0f', now_ms), '+inf')
local ends_at = keep ~= '' and redis.call('ZSCORE', index, keep)
redis.call('UNLINK', index)
if ends_at and tonumber(ends_at) > now_ms then
  redis.call('ZADD', index, ends_at, keep)
  redis.call('PEXPIREAT', index, ends_at)
  live = live - 1
end
return {'Revoked', live}
