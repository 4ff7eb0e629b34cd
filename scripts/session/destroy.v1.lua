#!lua flags=allow-oom
--- End a session: logout.
--
-- `Missing` says that it was over already, which a call sent again hears as well.
--
-- @version 1.0.0
-- @key     session      session:{<user>}:s:<sid> hash expires
-- @key     index        session:{<user>}:index zset expires
-- @returns Destroyed
-- @returns Missing
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   session session-hash/1
-- @retry   safe
-- @budget  calls<=4 growth=1
-- @example once
--   session.create user=ann sid=a idle=1h absolute=1d fields=[] -> Created
--   destroy user=ann sid=a -> Destroyed
--   destroy user=ann sid=a -> Missing
--   session.touch user=ann sid=a -> Missing
-- @example the others go on
--   session.create user=bob sid=a idle=1h absolute=1d fields=[] -> Created
--   session.create user=bob sid=b idle=1h absolute=1d fields=[] -> Created
--   destroy user=bob sid=a -> Destroyed
--   session.touch user=bob sid=b -> Live

local session, index = KEYS[1], KEYS[2]

local sid = session:match('}:s:(.+)$') -- the key's own end

local format = redis.call('HGET', session, 'v')
if format and format ~= '1' then
  return redis.error_reply('RLUA_BAD_STATE the session is not in format 1')
end
if not format and redis.call('EXISTS', session) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the session has no format number')
end
local removed = redis.call('ZREM', index, sid)
if format then
  redis.call('UNLINK', session)
end
return {removed == 1 and 'Destroyed' or 'Missing'}
