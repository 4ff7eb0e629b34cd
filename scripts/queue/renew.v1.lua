#!lua flags=allow-oom
--- Prolong the leases of jobs that were claimed: of all that a receipt holds, or of one.
--
-- `Renewed` names the jobs whose leases end lease from now, or later where they
-- already did: none is cut short, so a late resend does no harm. A job that is not
-- among them was ended, given back, or lost to somebody else. A lease that ran out is
-- prolonged too, as long as no claim has found it.
--
-- `Lost` says that the receipt holds nothing, or not the job in id: it is due or dead
-- again, somebody else's, or was replaced. `Gone` says that there is no job with that id.
--
-- @version 1.0.0
-- @key     inflight    queue:{<name>}:inflight zset
-- @key     jobs        queue:{<name>}:jobs hash
-- @key     claims      queue:{<name>}:claims zset
-- @arg     receipt     owner
-- @arg     lease       ms 1..86_400_000
-- @arg     id          str 1..64 = none
-- @returns Renewed     rows:(id:str)...
-- @returns Lost
-- @returns Gone
-- @error   BadArgument An argument is malformed or out of the range that the header declares.
-- @error   BadState    The key holds a state that this version of the family does not understand.
-- @state   jobs queue-jobs/1
-- @retry   safe
-- @budget  calls<=6 growth=1
-- @example all that a claim still holds
--   queue.schedule name=mail id=a payload=one run_at=1000 -> Scheduled
--   queue.schedule name=mail id=b payload=two run_at=1000 -> Scheduled
--   queue.schedule name=mail id=c payload=three run_at=1000 -> Scheduled
--   queue.claim name=mail receipt=w1 lease=1000ms count=3 -> Claimed
--   queue.ack name=mail id=b receipt=w1 -> Acked
--   renew name=mail receipt=w1 lease=60000ms -> Renewed rows=[(a) (c)]
--   queue.claim name=mail receipt=w2 lease=1000ms -> Empty next_after>=30000ms
-- @example one of them
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   queue.claim name=mail receipt=w1 lease=1000ms -> Claimed
--   renew name=mail receipt=w1 lease=60000ms id=1 -> Renewed rows=[(1)]
--   renew name=mail receipt=w2 lease=60000ms id=1 -> Lost
--   queue.ack name=mail id=1 receipt=w1 -> Acked
--   renew name=mail receipt=w1 lease=60000ms id=1 -> Gone
--   renew name=mail receipt=w1 lease=60000ms -> Lost

local inflight, jobs, claims = KEYS[1], KEYS[2], KEYS[3]
local receipt, lease_ms, id = ARGV[1], ARGV[2], ARGV[3]

local LONGEST_LEASE_MS = 86400000

local function integer(text, low, high)
  local number = text and text:find('^%d+$') and tonumber(text)
  return number and number >= low and number <= high and number or nil
end

if not receipt or #receipt < 1 or #receipt > 48 then
  return redis.error_reply('RLUA_BAD_ARGUMENT receipt must be 1 to 48 bytes')
end
lease_ms = integer(lease_ms, 1, LONGEST_LEASE_MS)
if not lease_ms then
  return redis.error_reply('RLUA_BAD_ARGUMENT lease must be an integer in 1..86400000 ms')
end
if not id or #id > 64 then
  return redis.error_reply('RLUA_BAD_ARGUMENT id must be at most 64 bytes')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local format = redis.call('HGET', jobs, 'v')
if format then
  if format ~= '1' then
    return redis.error_reply('RLUA_BAD_STATE the jobs are not in format 1')
  end
elseif redis.call('EXISTS', jobs) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the jobs have no format number')
end

-- In claims stands `<length of the receipt><receipt><id>`; all scores are 0.
local mark = string.format('%02d', #receipt) .. receipt
local low, high = mark, mark .. string.rep('\255', 64)
if id ~= '' then
  low, high = mark .. id, mark .. id
end
local held = redis.call('ZRANGE', claims, '[' .. low, '[' .. high, 'BYLEX', 'LIMIT', 0, 100)
if #held == 0 then
  redis.call('ZCARD', inflight) -- of another type, it fails whatever is held
  if id ~= '' and redis.call('HEXISTS', jobs, 'p:' .. id) == 0 then
    return {'Gone'}
  end
  return {'Lost'}
end

local reply, leases = {'Renewed'}, {}
for index = 1, #held do
  reply[index + 1] = held[index]:sub(#mark + 1)
end
local ends = redis.call('ZMSCORE', inflight, unpack(reply, 2))
for index = 1, #held do
  local until_ms, earlier_ms = now_ms + lease_ms, tonumber(ends[index] or 0)
  if earlier_ms <= now_ms + LONGEST_LEASE_MS then -- else the clock was set back
    until_ms = math.max(until_ms, earlier_ms)
  end
  leases[2 * index - 1], leases[2 * index] = string.format('%.0f', until_ms), reply[index + 1]
end
redis.call('ZADD', inflight, 'XX', unpack(leases))
return reply
