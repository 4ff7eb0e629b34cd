#!lua flags=no-writes
--- Return the cached value as it is, without taking a lease.
--
-- For callers that will not fetch. `Stale` is a value past its soft expiry that
-- somebody may be refreshing, `Negative` a cached absence (fresh_for is 0 past
-- its soft expiry). A value that was stored in the future, because the server's
-- clock was set back, is stale. The script may run on a replica.
--
-- @version 1.0.0
-- @key     entry    cache:{<key>}:entry hash expires
-- @returns Hit      value:bytes age:ms fresh_for:ms
-- @returns Stale    value:bytes age:ms
-- @returns Negative fresh_for:ms
-- @returns Missing
-- @error   BadState The key holds a state that this version of the family does not understand.
-- @state   entry cache-entry/1
-- @retry   safe
-- @budget  calls<=3 growth=1
-- @example a value, fresh and then stale
--   read key=user:1 -> Missing
--   cache.get_or_lock key=user:1 owner=a hold=5000ms -> Fill
--   read key=user:1 -> Missing
--   cache.fill key=user:1 owner=a value=b'\x00\xff' soft=60000ms hard=90000ms -> Stored
--   read key=user:1 -> Hit value=b'\x00\xff' age>=0ms fresh_for<=60000ms
--   cache.invalidate key=user:1 mode=mark_stale -> Invalidated existed=true
--   read key=user:1 -> Stale value=b'\x00\xff' age>=0ms
-- @example a cached absence
--   cache.get_or_lock key=user:2 owner=a hold=5000ms -> Fill
--   cache.fill key=user:2 owner=a value='' soft=1000ms hard=60000ms negative=true -> Stored
--   read key=user:2 -> Negative fresh_for<=1000ms
--   cache.invalidate key=user:2 mode=mark_stale -> Invalidated existed=true
--   read key=user:2 -> Negative fresh_for=0ms

local entry = KEYS[1]

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local stored = redis.call('HMGET', entry, 'v', 'd', 's', 'n', 't')
local format, value, negative = stored[1], stored[2], stored[4] == '1'
local soft_at_ms, stored_at_ms = tonumber(stored[3]), tonumber(stored[5])
if not format then
  if redis.call('EXISTS', entry) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the entry has no format number')
  end
  return {'Missing'}
end
if format ~= '1' or not (value and soft_at_ms and stored_at_ms) then
  return redis.error_reply('RLUA_BAD_STATE the entry is not in format 1')
end

local age_ms, fresh_for_ms = 0, 0
if now_ms >= stored_at_ms then
  age_ms = now_ms - stored_at_ms
  fresh_for_ms = math.max(soft_at_ms - now_ms, 0)
end -- else the clock was set back: its age is unknown, so it counts as no longer fresh
if negative then
  return {'Negative', fresh_for_ms}
end
if fresh_for_ms > 0 then
  return {'Hit', value, age_ms, fresh_for_ms}
end
return {'Stale', value, age_ms}
