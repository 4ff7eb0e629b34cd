#!lua
--- Give a session a new id: after a login, and whenever its rights change.
--
-- Fields, age and end stay. The old id is worth nothing from then on. The same call
-- again is `Replayed`.
--
-- @version 1.0.0
-- @key     session      session:{<user>}:s:<sid> hash expires
-- @key     new_session  session:{<user>}:s:<new_sid> hash expires
-- @key     index        session:{<user>}:index zset expires
-- @returns Rotated
-- @returns Replayed
-- @returns Missing
-- @returns Revoked
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   session session-hash/1
-- @state   new_session session-hash/1
-- @retry   safe
-- @budget  calls<=9 growth=1
-- @example the old id is worth nothing
--   session.create user=ann sid=a idle=1h absolute=1d fields=[(name, Ann)] -> Created
--   rotate user=ann sid=a new_sid=b -> Rotated
--   rotate user=ann sid=a new_sid=b -> Replayed
--   session.touch user=ann sid=a -> Missing
--   session.touch user=ann sid=b -> Live fields=[(name, Ann)]
-- @example there is nothing to rotate
--   rotate user=bob sid=a new_sid=b -> Missing
--   session.create user=bob sid=a idle=1h absolute=1d fields=[] -> Created
--   rotate user=bob sid=a new_sid=a -> error BadArgument
--   session.create user=bob sid=c idle=1h absolute=1d fields=[] -> Created
--   rotate user=bob sid=a new_sid=c -> error BadArgument
--   session.revoke_all user=bob -> Revoked
--   rotate user=bob sid=a new_sid=b -> Revoked

local session, new_session, index = KEYS[1], KEYS[2], KEYS[3]

local sid, new_sid = session:match('}:s:(.+)$'), new_session:match('}:s:(.+)$')
if session == new_session then
  return redis.error_reply('RLUA_BAD_ARGUMENT new_sid must be another one than sid')
end

local format, new_format = redis.call('HGET', session, 'v'), redis.call('HGET', new_session, 'v')
if (format and format ~= '1') or (new_format and new_format ~= '1') then
  return redis.error_reply('RLUA_BAD_STATE the session is not in format 1')
end
if
  (not format and redis.call('EXISTS', session) == 1)
  or (not new_format and redis.call('EXISTS', new_session) == 1)
then
  return redis.error_reply('RLUA_BAD_STATE the session has no format number')
end
local ends_at, new_end = redis.call('ZSCORE', index, sid), redis.call('ZSCORE', index, new_sid)
if not format then
  return {new_format and new_end and 'Replayed' or 'Missing'}
end
if new_format then
  return redis.error_reply('RLUA_BAD_ARGUMENT new_sid must be one that is not in use')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if not ends_at or tonumber(ends_at) <= now_ms then
  return {'Revoked'}
end
redis.call('RENAME', session, new_session)
redis.call('ZADD', index, ends_at, new_sid)
redis.call('ZREM', index, sid)
return {'Rotated'}
