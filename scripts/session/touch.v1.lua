#!lua
--- Return a session, and have it live on: it was used.
--
-- It then ends idle from now, and never later than absolute after it began. Written is
-- only when more than a tenth of idle was used: wrote tells. `Revoked` is a session that
-- was logged out, `Missing` one that is over or never was; neither comes back.
--
-- When the server's clock was set back a session lives on for as much longer, but its
-- end is not put off by it.
--
-- @version 1.0.0
-- @key     session      session:{<user>}:s:<sid> hash expires
-- @key     index        session:{<user>}:index zset expires
-- @returns Live         idle_left:ms absolute_left:ms wrote:bool rev:int fields:(name:str value:bytes)...
-- @returns Missing
-- @returns Revoked
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   session session-hash/1
-- @retry   safe
-- @budget  calls<=8 growth=1
-- @example it has what was put into it
--   session.create user=ann sid=a idle=1h absolute=1d fields=[(name, Ann)] -> Created
--   touch user=ann sid=a -> Live idle_left<=1h absolute_left<=1d wrote=false rev=1 fields=[(name, Ann)]
--   touch user=ann sid=b -> Missing
-- @example it is written when a tenth of idle was used
--   session.create user=bob sid=a idle=1s absolute=1d fields=[] -> Created
--   wait 150ms
--   touch user=bob sid=a -> Live idle_left=1s wrote=true
--   session.create user=bob sid=b idle=1h absolute=1d fields=[] -> Created
--   wait 150ms
--   touch user=bob sid=a -> Live idle_left=1s wrote=true
-- @example a session that was logged out
--   session.create user=cid sid=a idle=1h absolute=1d fields=[] -> Created
--   session.revoke_all user=cid -> Revoked
--   touch user=cid sid=a -> Revoked

local session, index = KEYS[1], KEYS[2]

local MOST_STORED = 72 -- 64 fields, and our own
local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

local sid = session:match('}:s:(.+)$') -- the key's own end

if redis.call('HLEN', session) > MOST_STORED then
  return redis.error_reply('RLUA_BAD_STATE the session has more fields than it may')
end
local stored = redis.call('HGETALL', session)
local ends_at_ms = tonumber(redis.call('ZSCORE', index, sid) or 0)
if #stored == 0 then
  return {'Missing'}
end
local state, data = {}, {}
for at = 1, #stored, 2 do
  local name, value = stored[at], stored[at + 1]
  if name:sub(1, 2) == 'd:' then
    data[#data + 1] = name:sub(3)
    data[#data + 1] = value
  else
    state[name] = value
  end
end
local idle_ms, latest_ms = integer(state.i, 1, GREATEST), integer(state.m, 1, GREATEST)
local rev = integer(state.r, 1, GREATEST)
if state.v ~= '1' or not idle_ms or not latest_ms or not rev then
  return redis.error_reply('RLUA_BAD_STATE the session is not in format 1')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ends_at_ms <= now_ms then
  return {'Revoked'}
end
local wrote = 0
local new_end_ms = math.min(now_ms + idle_ms, latest_ms)
if (new_end_ms - ends_at_ms) * 10 > idle_ms then
  local ends_at = string.format('%.0f', new_end_ms)
  redis.call('ZADD', index, 'XX', ends_at, sid)
  redis.call('PEXPIREAT', session, ends_at)
  if redis.call('PEXPIRETIME', index) < new_end_ms then
    redis.call('PEXPIREAT', index, ends_at)
  end
  ends_at_ms, wrote = new_end_ms, 1
end
local reply = {'Live', ends_at_ms - now_ms, latest_ms - now_ms, wrote, rev}
for at = 1, #data do
  reply[#reply + 1] = data[at]
end
return reply
