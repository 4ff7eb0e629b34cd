#!lua
--- Begin a session of a user, and end the least recently used ones beyond a limit.
--
-- Pass a hash of the secret that the client is given as sid, never the secret itself, and
-- a new one for each session. The session ends idle after it was touched last, and
-- absolute after it began at the latest.
--
-- The index of the user says which of its sessions are valid: it holds the end of each.
-- When there are max_sessions already, `evict_oldest` ends those that would end first,
-- at most 256 at once, and `reject` answers `TooMany`. A session has at most 64 fields
-- and 16 KiB of them, names and values together.
--
-- The same call again is `Replayed`. After a logout everywhere it is `Revoked`: nothing
-- brings a session back. After `destroy` it begins the session anew.
--
-- Both keys expire with what is in them. Where the index is lost its sessions are no
-- longer valid: keep sessions on a server that does not evict.
--
-- @version 1.0.0
-- @key     session      session:{<user>}:s:<sid> hash expires
-- @key     index        session:{<user>}:index zset expires
-- @arg     idle         ms 100..31_622_400_000
-- @arg     absolute     ms 100..31_622_400_000
-- @arg     max_sessions int 1..10_000 = 100
-- @arg     policy       enum(evict_oldest, reject) = evict_oldest
-- @arg     fields:(name:str 1..64 value:bytes 0..16_384)... 0..64
-- @returns Created      evicted:int
-- @returns Replayed
-- @returns Revoked
-- @returns TooMany      sessions:int
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   TooLarge     A session has at most 64 fields and 16 KiB of them.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   session session-hash/1
-- @retry   safe
-- @budget  calls<=14 growth=linear n=fields
-- @example the third of two ends the first
--   create user=ann sid=a idle=1h absolute=1d max_sessions=2 fields=[(name, Ann)] -> Created evicted=0
--   create user=ann sid=a idle=1h absolute=1d max_sessions=2 fields=[(name, Ann)] -> Replayed
--   create user=ann sid=b idle=2h absolute=1d max_sessions=2 fields=[] -> Created evicted=0
--   create user=ann sid=c idle=2h absolute=1d max_sessions=2 fields=[] -> Created evicted=1
--   session.touch user=ann sid=a -> Revoked
--   session.touch user=ann sid=c -> Live rev=1 fields=[]
-- @example no more than there may be
--   create user=bob sid=a idle=1h absolute=1d max_sessions=1 policy=reject fields=[] -> Created
--   create user=bob sid=b idle=1h absolute=1d max_sessions=1 policy=reject fields=[] -> TooMany sessions=1
-- @example nothing brings a session back
--   create user=cid sid=a idle=1h absolute=1d fields=[] -> Created
--   session.revoke_all user=cid -> Revoked sessions=1
--   create user=cid sid=a idle=1h absolute=1d fields=[] -> Revoked
-- @example what is over is swept
--   create user=dan sid=a idle=100ms absolute=100ms fields=[] -> Created
--   wait 150ms
--   create user=dan sid=b idle=1h absolute=1d max_sessions=1 policy=reject fields=[] -> Created evicted=0

local session, index = KEYS[1], KEYS[2]
local idle_ms, absolute_ms, max_sessions, policy, fields = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local MOST_BYTES = 16384
local MOST_AT_ONCE = 256

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

idle_ms = integer(idle_ms, 100, 31622400000)
if not idle_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT idle must be an integer in 100..31622400000 ms')
end
absolute_ms = integer(absolute_ms, 100, 31622400000)
if not absolute_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT absolute must be an integer in 100..31622400000 ms')
end
max_sessions = integer(max_sessions, 1, 10000)
if not max_sessions then
  return redis.error_reply('RLUA_BAD_ARGUMENT max_sessions must be an integer in 1..10000')
end
if policy ~= 'evict_oldest' and policy ~= 'reject' then
  return redis.error_reply('RLUA_BAD_ARGUMENT policy must be evict_oldest or reject')
end
fields = integer(fields, 0, 64)
if not fields or 5 + 2 * fields ~= #ARGV then
  return redis.error_reply('RLUA_BAD_ARGUMENT fields must be the number of pairs that follow, 0..64')
end
local pairs_of, bytes = {}, 0
for row = 1, fields do
  local name, value = ARGV[4 + 2 * row], ARGV[5 + 2 * row]
  if #name < 1 or #name > 64 then
    return redis.error_reply('RLUA_BAD_ARGUMENT name must be 1 to 64 bytes')
  end
  bytes = bytes + #name + #value
  pairs_of[#pairs_of + 1] = 'd:' .. name
  pairs_of[#pairs_of + 1] = value
end
local sid = session:match('}:s:(.+)$') -- the key's own end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local now_text = string.format('%.0f', now_ms)

local format = redis.call('HGET', session, 'v')
local ends_at_ms = tonumber(redis.call('ZSCORE', index, sid) or 0)
if format then
  if format ~= '1' then
    return redis.error_reply('RLUA_BAD_STATE the session is not in format 1')
  end
  return {ends_at_ms > now_ms and 'Replayed' or 'Revoked'}
elseif redis.call('EXISTS', session) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the session has no format number')
end
if bytes > MOST_BYTES then
  return redis.error_reply('RLUA_TOO_LARGE a session has at most 64 fields and 16384 bytes of them')
end
local live = redis.call('ZCOUNT', index, '(' .. now_text, '+inf')
if live >= max_sessions and policy == 'reject' then
  return {'TooMany', live}
end

local ended = redis.call('ZRANGE', index, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, MOST_AT_ONCE)
if #ended > 0 then
  redis.call('ZREM', index, unpack(ended))
end
local evicted = math.min(math.max(live - max_sessions + 1, 0), MOST_AT_ONCE)
if evicted > 0 then
  local oldest =
    redis.call('ZRANGE', index, '(' .. now_text, '+inf', 'BYSCORE', 'LIMIT', 0, evicted)
  redis.call('ZREM', index, unpack(oldest))
end

-- c is when it began, m when it ends at the latest, i for how long it may be idle.
local latest_ms = now_ms + absolute_ms
ends_at_ms = math.min(now_ms + idle_ms, latest_ms)
local ends_at = string.format('%.0f', ends_at_ms)
redis.call(
  'HSET', session, 'v', '1', 'c', now_text, 'm', string.format('%.0f', latest_ms),
  'i', string.format('%.0f', idle_ms), 'r', '1', unpack(pairs_of)
)
redis.call('PEXPIREAT', session, ends_at)
redis.call('ZADD', index, ends_at, sid)
if redis.call('PEXPIRETIME', index) < ends_at_ms then
  redis.call('PEXPIREAT', index, ends_at)
end
return {'Created', evicted}
