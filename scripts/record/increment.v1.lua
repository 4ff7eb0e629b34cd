#!lua
--- Add to an integer field of a record, within bounds.
--
-- An amount that would take the field beyond cap or below floor is not added at all, and
-- `Capped` or `Floored` says what the field holds; a value that is out of bounds already
-- may move towards them. A field that the record does not have counts from 0, and is a new
-- one: a record has 64 of them at most. Amounts with fractions are kept as integers of a
-- smaller unit.
--
-- An absent record is `Missing` and is not created, so that nothing comes back in part
-- without its expiry, unless create_ttl says how long the new one lives. The expiry of a
-- record that is there stays as it is.
--
-- A call whose reply was lost may have been counted: it is never sent again by itself.
--
-- @version 1.0.0
-- @key     record      record:{<key>}:fields hash expires
-- @arg     field       str 1..128
-- @arg     amount      int = 1
-- @arg     floor       int = none
-- @arg     cap         int = none
-- @arg     create_ttl  ms 1..31_622_400_000 = none
-- @returns Added       value:int
-- @returns Capped      value:int
-- @returns Floored     value:int
-- @returns Missing
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   NotInteger  The field holds something else than an integer within 2^53.
-- @error   TooLarge    The record has more fields than the call may deal with.
-- @retry   never
-- @budget  calls<=4 growth=1
-- @example a stock that is never oversold
--   record.put key=item:1 ttl=1h fields=[(stock, 2) (name, hat)] -> Stored
--   increment key=item:1 field=stock amount=-2 floor=0 -> Added value=0
--   increment key=item:1 field=stock amount=-1 floor=0 -> Floored value=0
--   increment key=item:1 field=stock amount=5 cap=4 -> Capped value=0
--   increment key=item:1 field=seen -> Added value=1
--   increment key=item:1 field=name -> error NotInteger
--   increment key=item:1 field=seen floor=2 cap=1 -> error BadArgument
-- @example nothing comes back in part
--   increment key=item:2 field=seen -> Missing
--   increment key=item:2 field=seen create_ttl=1h -> Added value=1
--   record.get key=item:2 names=[] -> Found expires_after<=1h fields=[(seen, 1)]

local record = KEYS[1]
local field, amount, floor, cap, create_ttl_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local GREATEST = 9007199254740991 -- 2^53 - 1: integers up to here are exact

local function integer(text, low, high)
  local number = text and text:find('^%-?%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not field or #field < 1 or #field > 128 then
  return redis.error_reply('RLUA_BAD_ARGUMENT field must be 1 to 128 bytes')
end
amount = integer(amount, -GREATEST, GREATEST)
if not amount then
  return redis.error_reply('RLUA_BAD_ARGUMENT amount must be an integer within 2^53')
end
floor = floor == '' and -GREATEST or integer(floor, -GREATEST, GREATEST)
if not floor then
  return redis.error_reply('RLUA_BAD_ARGUMENT floor must be an integer within 2^53')
end
cap = cap == '' and GREATEST or integer(cap, -GREATEST, GREATEST)
if not cap or cap < floor then
  return redis.error_reply('RLUA_BAD_ARGUMENT cap must be an integer within 2^53, not below floor')
end
if create_ttl_ms ~= '' then
  create_ttl_ms = integer(create_ttl_ms, 1, 31622400000)
end
if not create_ttl_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT create_ttl must be an integer in 1..31622400000 ms')
end

local stored = redis.call('HGET', record, field)
-- A field that is there makes the record no larger.
local count = stored and 1 or redis.call('HLEN', record)
if count == 0 and create_ttl_ms == '' then
  return {'Missing'}
end
if count >= 64 then
  return redis.error_reply('RLUA_TOO_LARGE the record has 64 fields or more')
end
local value = integer(stored or '0', -GREATEST, GREATEST)
if not value then
  return redis.error_reply('RLUA_NOT_INTEGER the field is not an integer within 2^53')
end

local sum = value + amount
if amount > 0 and sum > cap then
  return {'Capped', value}
end
if amount < 0 and sum < floor then
  return {'Floored', value}
end
redis.call('HSET', record, field, string.format('%.0f', sum))
if count == 0 then
  redis.call('PEXPIRE', record, string.format('%.0f', create_ttl_ms))
end
return {'Added', sum}
