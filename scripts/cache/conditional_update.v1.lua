#!lua
--- Store a document if its version, its existence or a fence allows it.
--
-- Modes: `create` only when absent; `match` only over the version in expected;
-- `exists` only when present; `any` always; `fence` only when no greater fence
-- was stored, expected being the caller's fence (a decimal of up to 19 digits,
-- as a lock gives out), which is then kept. Other modes leave the fence alone.
-- A missing document is never created by `match` or `exists`.
--
-- A version is opaque and compared as text. It grows with every update and, taken
-- from the server's clock, does not come back after a delete. ttl sets the expiry
-- anew: 0 keeps what there is, -1 removes it. With want_value a `Conflict` carries
-- the current value.
--
-- Make a new token for each update. The document remembers the token of its last
-- update: sent again, that update gets `Replayed` and changes nothing. When
-- another update or a delete came in between, a resend is judged anew: `match`
-- answers `Conflict` or `Missing`, while `any`, `exists` and `fence` store again.
--
-- @version 1.0.0
-- @key     document   cache:{<key>}:document hash
-- @arg     mode       enum(create, match, exists, any, fence)
-- @arg     expected   str 1..64 = none
-- @arg     value      bytes 0..262_144
-- @arg     ttl        ms -1..31_622_400_000 = 0
-- @arg     want_value bool = false
-- @arg     token      token
-- @returns Stored     version:str created:bool
-- @returns Conflict   version:str value:bytes?
-- @returns Missing
-- @returns Exists     version:str
-- @returns StaleFence fence:str
-- @returns Replayed   version:str
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   document cache-document/1
-- @retry   safe
-- @budget  calls<=5 growth=1
-- @example a version is good for one update
--   conditional_update key=a mode=create value=one -> Stored created=true
--   conditional_update key=a mode=match expected=$1.version value=two token=t2 -> Stored
--   conditional_update key=a mode=match expected=$1.version value=two token=t2 -> Replayed
--   conditional_update key=a mode=match expected=$1.version value=x -> Conflict version=$2.version
--   conditional_update key=a mode=match expected=0 value=x want_value=true -> Conflict value=two
--   conditional_update key=a mode=create value=x -> Exists version=$2.version
-- @example nothing is created by accident
--   conditional_update key=doc:2 mode=match expected=7 value=one token=t1 -> Missing
--   conditional_update key=doc:2 mode=exists value=one token=t1 -> Missing
--   conditional_update key=doc:2 mode=any value=one token=t1 ttl=60000ms -> Stored created=true
--   conditional_update key=doc:2 mode=exists value=two token=t2 -> Stored created=false
--   conditional_update key=doc:2 mode=any value=three token=t3 ttl=-1ms -> Stored created=false
-- @example a holder that lost its lock cannot write
--   conditional_update key=doc:3 mode=fence expected=34 value=new token=t1 -> Stored created=true
--   conditional_update key=doc:3 mode=fence expected=33 value=old token=t2 -> StaleFence fence=34
--   conditional_update key=doc:3 mode=fence expected=9 value=old token=t3 -> StaleFence fence=34
--   cache.conditional_read key=doc:3 -> Found value=new fence=34
-- @example expected goes with match and fence alone
--   conditional_update key=doc:4 mode=any expected=1 value=x token=t1 -> error BadArgument
--   conditional_update key=doc:4 mode=match value=x token=t1 -> error BadArgument

local document = KEYS[1]
local mode, expected, value, ttl_ms, want_value, token =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local function integer(text, low, high)
  local number = text and text:find('^%-?%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

-- Fences exceed what a number holds exactly, so they are compared as text.
local function fence_digits(text)
  local digits = text and text:match('^0*(%d+)$')
  return digits and #digits <= 19 and digits or nil
end

local function is_less(first, second)
  if #first ~= #second then
    return #first < #second
  end
  return first < second
end

if
  mode ~= 'create' and mode ~= 'match' and mode ~= 'exists' and mode ~= 'any' and mode ~= 'fence'
then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be create, match, exists, any or fence')
end
if not expected or #expected > 64 then
  return redis.error_reply('RLUA_BAD_ARGUMENT expected must be at most 64 bytes')
end
if (mode == 'match' or mode == 'fence') ~= (expected ~= '') then
  return redis.error_reply('RLUA_BAD_ARGUMENT expected must be given with match and fence alone')
end
local fence = fence_digits(expected)
if mode == 'fence' and not fence then
  return redis.error_reply('RLUA_BAD_ARGUMENT expected must be a decimal of at most 19 digits')
end
if not value or #value > 262144 then
  return redis.error_reply('RLUA_BAD_ARGUMENT value must be at most 262144 bytes')
end
ttl_ms = integer(ttl_ms, -1, 31622400000)
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in -1..31622400000 ms')
end
if want_value ~= '0' and want_value ~= '1' then
  return redis.error_reply('RLUA_BAD_ARGUMENT want_value must be 0 or 1')
end
if not token or #token < 1 or #token > 32 then
  return redis.error_reply('RLUA_BAD_ARGUMENT token must be 1 to 32 bytes')
end

local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])

local stored = redis.call('HMGET', document, 'v', 'n', 'f', 'o')
local format, version = stored[1], stored[2]
local version_us = integer(version, 0, 9007199254740990) -- one more is still exact
local stored_fence = fence_digits(stored[3])
if not format then
  if redis.call('EXISTS', document) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the document has no format number')
  end
elseif format ~= '1' or not version_us or (stored[3] and not stored_fence) then
  return redis.error_reply('RLUA_BAD_STATE the document is not in format 1')
end

if format and stored[4] == token then
  return {'Replayed', version}
end
if format and mode == 'create' then
  return {'Exists', version}
end
if not format and (mode == 'match' or mode == 'exists') then
  return {'Missing'}
end
if mode == 'match' and version ~= expected then
  local current = want_value == '1' and redis.call('HGET', document, 'd')
  return {'Conflict', version, current}
end
if mode == 'fence' and stored_fence and is_less(fence, stored_fence) then
  return {'StaleFence', stored_fence}
end

local new_us = now_us
if version_us and version_us >= now_us then
  new_us = version_us + 1
end
local new_version = string.format('%.0f', new_us)
if mode == 'fence' then
  redis.call('HSET', document, 'v', '1', 'n', new_version, 'd', value, 'o', token, 'f', fence)
else
  redis.call('HSET', document, 'v', '1', 'n', new_version, 'd', value, 'o', token)
end
if ttl_ms > 0 then
  redis.call('PEXPIRE', document, string.format('%.0f', ttl_ms))
elseif ttl_ms == -1 and format then
  redis.call('PERSIST', document)
end
return {'Stored', new_version, format and 0 or 1}
