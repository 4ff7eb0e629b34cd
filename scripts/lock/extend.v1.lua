#!lua
--- Hold a lock for longer.
--
-- In mode set the hold starts anew, and may be shorter than what was left of the
-- last; in mode at_least it is never made shorter. Both do the same again when the
-- call is sent again. expires_after is what is left then.
--
-- `Lost` says that the owner no longer holds the lock: its hold was over or it had
-- given it back (reason free), and somebody else may have taken it since (taken).
-- A lost lock is never taken again by this call.
--
-- @version 1.0.0
-- @key     lock        lock:{<name>}:lock hash expires
-- @arg     owner       owner
-- @arg     hold        ms 1..86_400_000
-- @arg     mode        enum(set, at_least) = set
-- @returns Extended    expires_after:ms
-- @returns Lost        reason:enum(free, taken)
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   lock lock/1
-- @retry   safe
-- @budget  calls<=4 growth=1
-- @example the holder stays
--   lock.acquire name=orders:1 owner=a hold=1s -> Acquired
--   extend name=orders:1 owner=a hold=30s -> Extended expires_after=30s
--   extend name=orders:1 owner=a hold=10s mode=at_least -> Extended expires_after>=20s
--   extend name=orders:1 owner=a hold=10s -> Extended expires_after=10s
-- @example nobody else stays
--   extend name=orders:2 owner=a hold=10s -> Lost reason=free
--   lock.acquire name=orders:2 owner=b hold=10s -> Acquired
--   extend name=orders:2 owner=a hold=10s -> Lost reason=taken

local lock = KEYS[1]
local owner, hold_ms, mode = ARGV[1], ARGV[2], ARGV[3]

local LONGEST_MS = 86400000 -- of a hold

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not owner or #owner < 1 or #owner > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT owner must be 1 to 48 bytes')
end
hold_ms = integer(hold_ms, 1, LONGEST_MS)
if not hold_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT hold must be an integer in 1..86400000 ms')
end
if mode ~= 'set' and mode ~= 'at_least' then
  return redis.error_reply('RLUA_BAD_ARGUMENT mode must be set or at_least')
end

-- The fields are those of `acquire`.
local stored = redis.call('HMGET', lock, 'v', 'o', 'h')
local format, holder, held_ms = stored[1], stored[2], integer(stored[3], 1, LONGEST_MS)
if not format then
  if redis.call('EXISTS', lock) == 1 then
    return redis.error_reply('RLUA_BAD_STATE the lock has no format number')
  end
elseif format ~= '1' or not (holder and held_ms) then
  return redis.error_reply('RLUA_BAD_STATE the lock is not in format 1')
end

if not format or holder == '' then
  return {'Lost', 'free'}
end
if holder ~= owner then
  return {'Lost', 'taken'}
end

if mode == 'at_least' then
  local left_ms = redis.call('PTTL', lock)
  if left_ms >= hold_ms and left_ms <= held_ms then
    return {'Extended', left_ms}
  end
  -- More than the hold is left only where the clock was set back.
  hold_ms = math.max(hold_ms, math.min(left_ms, held_ms))
end
redis.call('HSET', lock, 'h', string.format('%.0f', hold_ms))
redis.call('PEXPIRE', lock, string.format('%.0f', hold_ms))
return {'Extended', hold_ms}
