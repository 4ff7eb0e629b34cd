#!lua
--- Change some fields of a record that is there, and leave the others alone.
--
-- Fields in sets get their value, those in deletes go. An absent record is `Missing` and is
-- not created: what has expired does not come back in part. A patch after which the record
-- would have more than max_fields changes nothing, and `TooMany` says how many there would
-- be. fields counts those it has now; one that loses its last field is gone.
--
-- Without ttl the expiry stays as it is. With it the record expires ttl from now, or, with
-- renew longer, only if that is later than it would expire anyway.
--
-- Two callers that patch different fields both have their way; of the same field the last
-- one is kept. Sent again, the call does the same again.
--
-- @version 1.0.0
-- @key     record      record:{<key>}:fields hash expires
-- @arg     ttl         ms 1..31_622_400_000 = none
-- @arg     renew       enum(always, longer) = always
-- @arg     max_fields  int 1..64 = 64
-- @arg     sets:(field:str 1..128 value:bytes 0..4_096)... 0..64
-- @arg     deletes:(field:str 1..128)... 0..64
-- @returns Patched     fields:int
-- @returns TooMany     fields:int
-- @returns Missing
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @retry   safe
-- @budget  calls<=132 growth=linear n=sets
-- @example both changes survive
--   record.put key=user:1 ttl=1h fields=[(name, ada) (cart, 0)] -> Stored
--   patch key=user:1 sets=[(cart, 3)] deletes=[] -> Patched fields=2
--   patch key=user:1 sets=[(lang, en)] deletes=[(name)] ttl=2h -> Patched fields=2
--   patch key=user:1 sets=[] deletes=[] ttl=1h renew=longer -> Patched fields=2
--   record.get key=user:1 names=[(cart) (lang)] -> Found fields=[(cart, 3) (lang, en)]
-- @example what has expired does not come back
--   record.put key=user:2 ttl=1ms fields=[(name, ada)] -> Stored
--   wait 20ms
--   patch key=user:2 sets=[(name, ghost)] deletes=[] -> Missing
--   record.get key=user:2 names=[] -> Missing
-- @example so many and no more
--   record.put key=user:3 ttl=1h fields=[(a, 1) (b, 2)] -> Stored
--   patch key=user:3 sets=[(c, 3)] deletes=[] max_fields=2 -> TooMany fields=3
--   patch key=user:3 sets=[(c, 3)] deletes=[(a)] max_fields=2 -> Patched fields=2
--   patch key=user:3 sets=[] deletes=[(b) (c)] -> Patched fields=0
-- @example each field once
--   patch key=user:4 sets=[(a, 1)] deletes=[(a)] -> error BadArgument

local record = KEYS[1]
local ttl_ms, renew, max_fields, sets = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if ttl_ms ~= '' then
  ttl_ms = integer(ttl_ms, 1, 31622400000)
end
if not ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT ttl must be an integer in 1..31622400000 ms')
end
if renew ~= 'always' and renew ~= 'longer' then
  return redis.error_reply('RLUA_BAD_ARGUMENT renew must be always or longer')
end
max_fields = integer(max_fields, 1, 64)
if not max_fields then
  return redis.error_reply('RLUA_BAD_ARGUMENT max_fields must be an integer in 1..64')
end
sets = integer(sets, 0, 64)
local deletes = sets and integer(ARGV[5 + 2 * sets], 0, 64)
if not deletes or 5 + 2 * sets + deletes ~= #ARGV then
  return redis.error_reply(
    'RLUA_BAD_ARGUMENT sets and deletes must be the numbers of rows that follow, 0..64'
  )
end
local names, seen = {}, {}
for at = 1, sets + deletes do
  local place = at <= sets and 3 + 2 * at or 5 + sets + at
  local field = ARGV[place]
  if #field < 1 or #field > 128 then
    return redis.error_reply('RLUA_BAD_ARGUMENT field must be 1 to 128 bytes')
  end
  if at <= sets and #ARGV[place + 1] > 4096 then
    return redis.error_reply('RLUA_BAD_ARGUMENT value must be at most 4096 bytes')
  end
  if seen[field] then
    return redis.error_reply('RLUA_BAD_ARGUMENT the fields must be different ones')
  end
  seen[field] = true
  names[at] = field
end

local count = redis.call('HLEN', record)
if count == 0 then
  return {'Missing'}
end
-- Only a record that may become too large is looked at field by field.
if count + sets > max_fields then
  local after = count
  for at = 1, #names do
    local is_there = redis.call('HEXISTS', record, names[at]) == 1
    if at <= sets and not is_there then
      after = after + 1
    elseif at > sets and is_there then
      after = after - 1
    end
  end
  if after > max_fields and after > count then
    return {'TooMany', after}
  end
end

-- Sets come first: a record whose fields are all exchanged keeps its expiry.
if sets > 0 then
  count = count + redis.call('HSET', record, unpack(ARGV, 5, 4 + 2 * sets))
end
if deletes > 0 then
  count = count - redis.call('HDEL', record, unpack(ARGV, 6 + 2 * sets))
end
if ttl_ms ~= '' and renew == 'always' then
  redis.call('PEXPIRE', record, string.format('%.0f', ttl_ms))
elseif ttl_ms ~= '' then
  redis.call('PEXPIRE', record, string.format('%.0f', ttl_ms), 'GT')
end
return {'Patched', count}
