#!lua
--- Change fields of a session, each by itself: what others change meanwhile stays.
--
-- With rev it changes only the session that was read: another revision is a `Conflict`.
-- Without, whoever comes last wins, field by field. Fields in sets are stored, those in
-- unsets removed. The result has at most 64 fields and 16 KiB, else nothing changes. The
-- end of the session stays where it is.
--
-- Make a new token for each change. The last change, sent again, gets the same answer;
-- one that others have overtaken is made again.
--
-- @version 1.0.0
-- @key     session      session:{<user>}:s:<sid> hash expires
-- @key     index        session:{<user>}:index zset expires
-- @arg     rev          int 1..9_007_199_254_740_991 = none
-- @arg     token        token
-- @arg     sets:(name:str 1..64 value:bytes 0..16_384)... 0..64
-- @arg     unsets:(name:str 1..64)... 0..64
-- @returns Patched      rev:int
-- @returns Conflict     rev:int
-- @returns Missing
-- @returns Revoked
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   TooLarge     A session has at most 64 fields and 16 KiB of them.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   session session-hash/1
-- @retry   safe
-- @budget  calls<=6 growth=linear n=sets
-- @example two changes of different fields
--   session.create user=ann sid=a idle=1h absolute=1d fields=[(name, Ann) (cart, 1)] -> Created
--   patch user=ann sid=a token=t1 sets=[(cart, 2)] unsets=[] -> Patched rev=2
--   patch user=ann sid=a token=t2 sets=[(lang, de)] unsets=[(name)] -> Patched rev=3
--   patch user=ann sid=a token=t2 sets=[(lang, de)] unsets=[(name)] -> Patched rev=3
--   patch user=ann sid=a token=t3 sets=[(cart, 3) (cart, 2) (n, 1)] unsets=[(n)] -> Patched rev=4
--   session.touch user=ann sid=a -> Live rev=4 fields=[(cart, 2) (lang, de)]
-- @example only what was read
--   session.create user=bob sid=a idle=1h absolute=1d fields=[] -> Created
--   patch user=bob sid=a rev=1 token=t1 sets=[(n, 1)] unsets=[] -> Patched rev=2
--   patch user=bob sid=a rev=1 token=t2 sets=[(n, 2)] unsets=[] -> Conflict rev=2
--   patch user=bob sid=b token=t3 sets=[(n, 2)] unsets=[] -> Missing
--   session.revoke_all user=bob -> Revoked
--   patch user=bob sid=a token=t4 sets=[(n, 2)] unsets=[] -> Revoked

local session, index = KEYS[1], KEYS[2]
local rev, token, sets = ARGV[1], ARGV[2], ARGV[3]

local MOST_FIELDS = 64
local MOST_BYTES = 16384
local MOST_STORED = 72 -- 64 fields, and our own
local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

local expected = integer(rev, 1, GREATEST)
if not expected and rev ~= '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT rev must be an integer in 1..9007199254740991, or empty')
end
if not token or #token < 1 or #token > 32 then
  return redis.error_reply('RLUA_BAD_ARGUMENT token must be 1 to 32 bytes')
end
sets = integer(sets, 0, 64)
local unsets = sets and integer(ARGV[4 + 2 * sets], 0, 64)
if not unsets or 4 + 2 * sets + unsets ~= #ARGV then
  return redis.error_reply('RLUA_BAD_ARGUMENT sets and unsets must count what follows, 0..64')
end
local sid = session:match('}:s:(.+)$') -- the key's own end
local new, order, gone = {}, {}, {}
for row = 1, sets do
  local name, value = ARGV[2 + 2 * row], ARGV[3 + 2 * row]
  if not new[name] then
    order[#order + 1] = name
  end
  new[name] = value
end
for row = 1, unsets do
  gone[row] = ARGV[4 + 2 * sets + row]
end
for _, names in ipairs({order, gone}) do
  for at = 1, #names do
    if #names[at] < 1 or #names[at] > 64 then
      return redis.error_reply('RLUA_BAD_ARGUMENT name must be 1 to 64 bytes')
    end
  end
end

if redis.call('HLEN', session) > MOST_STORED then
  return redis.error_reply('RLUA_BAD_STATE the session has more fields than it may')
end
local stored = redis.call('HGETALL', session)
local ends_at_ms = tonumber(redis.call('ZSCORE', index, sid) or 0)
if #stored == 0 then
  return {'Missing'}
end
local state, sizes = {}, {}
for at = 1, #stored, 2 do
  local name, value = stored[at], stored[at + 1]
  if name:sub(1, 2) == 'd:' then
    sizes[name:sub(3)] = #name - 2 + #value
  else
    state[name] = value
  end
end
local old_rev = integer(state.r, 1, GREATEST - 1)
if state.v ~= '1' or not old_rev then
  return redis.error_reply('RLUA_BAD_STATE the session is not in format 1')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ends_at_ms <= now_ms then
  return {'Revoked'}
end
if state.o == token then
  return {'Patched', old_rev}
end
if expected and expected ~= old_rev then
  return {'Conflict', old_rev}
end
for at = 1, #order do
  sizes[order[at]] = #order[at] + #new[order[at]]
end
for at = 1, #gone do
  sizes[gone[at]] = nil
  new[gone[at]] = nil
end
local count, bytes = 0, 0
for _, size in pairs(sizes) do
  count, bytes = count + 1, bytes + size
end
if count > MOST_FIELDS or bytes > MOST_BYTES then
  return redis.error_reply('RLUA_TOO_LARGE a session has at most 64 fields and 16384 bytes of them')
end

local written = {'r', string.format('%.0f', old_rev + 1), 'o', token}
for at = 1, #order do
  if new[order[at]] then
    written[#written + 1] = 'd:' .. order[at]
    written[#written + 1] = new[order[at]]
  end
end
redis.call('HSET', session, unpack(written))
if #gone > 0 then
  for at = 1, #gone do
    gone[at] = 'd:' .. gone[at]
  end
  redis.call('HDEL', session, unpack(gone))
end
return {'Patched', old_rev + 1}
