#!lua flags=allow-oom
--- Remove a cached value, or mark it as stale, and void every fetch that is under way.
--
-- Call it after the source of the value has changed. The lease goes in both
-- modes, so that a fetch which began before the change cannot store what it
-- read: its `fill` answers `LeaseLost`. mark_stale keeps the value as one to be
-- refreshed: the next caller of `get_or_lock` refreshes it and the others may
-- serve it meanwhile. existed tells whether there was a value. A cooldown ends
-- with the lease. Everybody who waits on the key's channel is woken.
--
-- @version 1.0.0
-- @key     entry       cache:{<key>}:entry hash expires
-- @key     lease       cache:{<key>}:lease string expires
-- @arg     mode        enum(delete, mark_stale) = delete
-- @channel filled      cache:{<key>}:filled
-- @returns Invalidated existed:bool
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   entry cache-entry/1
-- @retry   safe
-- @budget  calls<=5 growth=1
-- @example delete
--   cache.get_or_lock key=user:1 owner=a hold=5000ms -> Fill
--   cache.fill key=user:1 owner=a value=Ada soft=60000ms hard=90000ms -> Stored
--   invalidate key=user:1 -> Invalidated existed=true
--   invalidate key=user:1 -> Invalidated existed=false
--   cache.read key=user:1 -> Missing
-- @example mark_stale
--   cache.get_or_lock key=user:2 owner=a hold=5000ms -> Fill
--   cache.fill key=user:2 owner=a value=Ada soft=60000ms hard=90000ms -> Stored
--   invalidate key=user:2 mode=mark_stale -> Invalidated existed=true
--   cache.get_or_lock key=user:2 owner=b hold=5000ms -> Refresh value=Ada
--   invalidate key=user:2 mode=mark_stale -> Invalidated existed=true
--   cache.fill key=user:2 owner=b value=old soft=60000ms hard=90000ms -> LeaseLost
--   cache.read key=user:2 -> Stale value=Ada

local entry, lease = KEYS[1], KEYS[2]
local mode, filled = ARGV[1], ARGV[2]

if mode ~= 'delete' and mode ~= 'mark_stale' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be delete or mark_stale')
end
if not filled or filled == '' then
  return redis.error_reply('RLUA_BAD_ARGUMENT filled must be the name of a channel')
end

local format = redis.call('HGET', entry, 'v')
if not format then
  if redis.call('EXISTS', entry) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the entry has no format number')
  end
elseif format ~= '1' then
  return redis.error_reply('RLUA_BAD_STATE the entry is not in format 1')
end
redis.call('STRLEN', lease) -- UNLINK takes a key of any type; this refuses all but a string

if mode == 'delete' then
  redis.call('UNLINK', entry, lease)
else
  if format then
    -- Without its owner the entry can no longer pass for the work of a resent fill.
    redis.call('HSET', entry, 's', '0', 'o', '')
  end
  redis.call('UNLINK', lease)
end
redis.call('SPUBLISH', filled, 'invalidated')
return {'Invalidated', format and 1 or 0}
