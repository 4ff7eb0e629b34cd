#!lua
--- Store many documents of one group at once, each if it is newer than what is stored.
--
-- Each document comes with a version that only grows, as a row's revision or the time of
-- its last change. Modes: `newer` stores a document whose version is greater than the
-- stored one, so that whoever loads an older state of the source overwrites nothing;
-- `absent` stores only where nothing is. What is already there, the same version with
-- the same value, counts as stored: a call sent again gets the same answer.
--
-- rejected names the others by their index, from 0, with the version that is stored.
-- With all_or_nothing one of them is enough for nothing to be stored, and the reply is
-- `Refused`.
--
-- Documents expire ttl after they were stored, and up to spread later: evenly, from the
-- first to the last, so that they do not all expire at once. One that counts as stored
-- already keeps its expiry. An absent document has no version: keep them on a server
-- that does not evict where an old one must not come back.
--
-- The keys of one group lie in one slot. For values that have nothing to do with each
-- other use pipelines: many keys at once, no versions.
--
-- @version 1.0.0
-- @key     documents...   bulk:{<group>}:<key> hash 1..64 expires
-- @arg     ttl            ms 1..31_622_400_000
-- @arg     mode           enum(newer, absent) = newer
-- @arg     all_or_nothing bool = false
-- @arg     spread         ms 0..31_622_400_000 = 0
-- @arg     rows:(version:int 0..9_007_199_254_740_991 value:bytes 0..4_096)... 1..64
-- @returns Stored         stored:int rejected:(index:int version:int)...
-- @returns Refused        rejected:(index:int version:int)...
-- @error   BadArgument    An argument is malformed or out of the range that the header declares.
-- @error   BadState       The key holds a state that this version of the family does not understand.
-- @state   documents bulk-document/1
-- @retry   safe
-- @budget  calls<=320 growth=linear n=keys
-- @example an older state of the source overwrites nothing
--   set_if group=users key=[1, 2] ttl=1h rows=[(7, ann) (3, bob)] -> Stored stored=2 rejected=[]
--   set_if group=users key=[1, 2] ttl=1h rows=[(6, old) (4, bobby)] -> Stored stored=1 rejected=[(0, 7)]
--   set_if group=users key=[1, 2] ttl=1h rows=[(7, ann) (4, bobby)] -> Stored stored=2 rejected=[]
--   bulk.read group=users key=[1, 2, 3] -> Found rows=[(0, 7, ann) (1, 4, bobby)]
-- @example each key once
--   set_if group=users key=[1, 1] ttl=1h rows=[(7, ann) (3, bob)] -> error BadArgument
-- @example all or nothing
--   set_if group=users key=[1] ttl=1h rows=[(7, ann)] mode=absent -> Stored stored=1
--   set_if group=users key=[1, 2] ttl=1h rows=[(8, x) (1, y)] mode=absent all_or_nothing=true -> Refused rejected=[(0, 7)]
--   bulk.read group=users key=[2] -> Found rows=[]

local ttl_ms, mode, all_or_nothing, spread_ms, rows = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

ttl_ms = integer(ttl_ms, 1, 31622400000)
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in 1..31622400000 ms')
end
if mode ~= 'newer' and mode ~= 'absent' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be newer or absent')
end
if all_or_nothing ~= '0' and all_or_nothing ~= '1' then
  return redis.error_reply('RLUA_BAD_ARGUMENT all_or_nothing must be 0 or 1')
end
spread_ms = integer(spread_ms, 0, 31622400000)
if not spread_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT spread must be an integer in 0..31622400000 ms')
end
rows = integer(rows, 1, 64)
if not rows or rows ~= #KEYS or 5 + 2 * rows ~= #ARGV then
  return redis.error_reply('RLUA_BAD_ARGUMENT rows must be as many as there are keys, 1..64')
end
local seen, versions = {}, {}
for index = 1, #KEYS do
  if seen[KEYS[index]] then
    return redis.error_reply('RLUA_BAD_ARGUMENT the keys must be different ones')
  end
  seen[KEYS[index]] = true
  versions[index] = integer(ARGV[4 + 2 * index], 0, 9007199254740991)
  if not versions[index] then
    return redis.error_reply('RLUA_BAD_ARGUMENT version must be an integer in 0..9007199254740991')
  end
  if #ARGV[5 + 2 * index] > 4096 then
    return redis.error_reply('RLUA_BAD_ARGUMENT value must be at most 4096 bytes')
  end
end

local rejected, writes, stored_count = {}, {}, 0
for index = 1, #KEYS do
  local found = redis.call('HMGET', KEYS[index], 'v', 'n')
  local version = integer(found[2], 0, 9007199254740991)
  if not found[1] then
    if redis.call('EXISTS', KEYS[index]) == 1 then
      return redis.error_reply('RLUA_BAD_STATE a document has no format number')
    end
    writes[#writes + 1] = index
  elseif found[1] ~= '1' or not version then
    return redis.error_reply('RLUA_BAD_STATE a document is not in format 1')
  elseif mode == 'newer' and version < versions[index] then
    writes[#writes + 1] = index
  elseif
    version == versions[index] and redis.call('HGET', KEYS[index], 'd') == ARGV[5 + 2 * index]
  then
    stored_count = stored_count + 1
  else
    rejected[#rejected + 1] = index - 1
    rejected[#rejected + 1] = version
  end
end
if all_or_nothing == '1' and #rejected > 0 then
  return {'Refused', unpack(rejected)}
end

for at = 1, #writes do
  local index = writes[at]
  local document = KEYS[index]
  redis.call(
    'HSET', document, 'v', '1', 'n', string.format('%.0f', versions[index]),
    'd', ARGV[5 + 2 * index]
  )
  local expires_ms = ttl_ms + math.floor(spread_ms * (index - 1) / #KEYS)
  redis.call('PEXPIRE', document, string.format('%.0f', expires_ms))
end
return {'Stored', stored_count + #writes, unpack(rejected)}
