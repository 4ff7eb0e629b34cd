#!lua flags=allow-oom
--- Take jobs that are due out of a queue, each under a lease.
--
-- Up to count jobs and 96 KiB of payload are `Claimed`: first those whose lease is
-- over, then those that are due, in that order of time. Each is the caller's until
-- its lease is over; `renew` prolongs it, `ack` ends the job and `nack` gives it back.
-- A job runs at least once, and twice when its worker was too slow. attempt tells how
-- often it was claimed.
--
-- A job whose lease was over after max_attempts claims is not claimed again but dead,
-- as it is when `nack` says so: it may be what kills its workers. Of the dead the last
-- keep_dead are kept, payload and all, until `schedule` replaces them or `remove` ends
-- them. died counts the jobs that this call gave up, and those whose payload was lost
-- to an eviction, which are dropped; they are among the count that it looks at.
--
-- `Empty` tells when to look again: when the next job is due or the next lease ends,
-- at once when next_after is 0, and not before somebody schedules when it is absent.
-- A job that comes in between is told on the queue's channel, by `schedule` and `nack`.
--
-- Make a new receipt for each claim: it is the owner of what it claimed. The same
-- receipt again gets the jobs that it still holds, in the same order, and their
-- leases start anew, so a lost reply is harmless. Once it holds none it is like a
-- new one.
--
-- A full server lets jobs be claimed, since that is how a queue gets empty. When
-- the server's clock was set back, a lease that ends later than the longest one from
-- now, a day, is over.
--
-- @version 1.0.0
-- @key     due          queue:{<name>}:due zset
-- @key     inflight     queue:{<name>}:inflight zset
-- @key     jobs         queue:{<name>}:jobs hash
-- @key     claims       queue:{<name>}:claims zset
-- @key     dead         queue:{<name>}:dead zset
-- @arg     receipt      owner
-- @arg     lease        ms 1..86_400_000
-- @arg     count        int 1..100 = 1
-- @arg     max_attempts int 1..1_000_000 = 25
-- @arg     keep_dead    int 0..10_000 = 1_000
-- @returns Claimed      died:int rows:(id:str attempt:int payload:bytes)...
-- @returns Empty        died:int next_after:ms?
-- @error   BadArgument  An argument is malformed or out of the range that the header declares.
-- @error   BadState     The key holds a state that this version of the family does not understand.
-- @state   jobs queue-jobs/1
-- @retry   safe
-- @budget  calls<=125 growth=linear n=count
-- @example nobody else gets what was claimed, and the same receipt gets it again
--   queue.schedule name=mail id=a payload=one run_at=1000 -> Scheduled
--   queue.schedule name=mail id=b payload=two run_at=2000 -> Scheduled
--   queue.schedule name=mail id=c payload=three run_at=3000 -> Scheduled
--   claim name=mail receipt=w1 lease=30000ms count=2 -> Claimed died=0 rows=[(a, 1, one) (b, 1, two)]
--   claim name=mail receipt=w1 lease=30000ms count=2 -> Claimed died=0 rows=[(a, 1, one) (b, 1, two)]
--   claim name=mail receipt=w2 lease=30000ms count=2 -> Claimed died=0 rows=[(c, 1, three)]
--   claim name=mail receipt=w3 lease=30000ms count=2 -> Empty died=0 next_after<=30000ms
-- @example the jobs of a worker that died come back
--   queue.schedule name=mail id=a payload=one -> Scheduled
--   claim name=mail receipt=w1 lease=20ms -> Claimed rows=[(a, 1, one)]
--   wait 50ms
--   claim name=mail receipt=w2 lease=30000ms -> Claimed rows=[(a, 2, one)]
--   queue.ack name=mail id=a receipt=w1 -> Lost
-- @example but not for ever
--   queue.schedule name=mail id=a payload=poison -> Scheduled
--   claim name=mail receipt=w1 lease=20ms max_attempts=1 -> Claimed rows=[(a, 1, poison)]
--   wait 50ms
--   claim name=mail receipt=w2 lease=30000ms max_attempts=1 -> Empty died=1 next_after=none
--   queue.list_dead name=mail -> Listed total=1
-- @example an empty queue
--   claim name=mail receipt=w1 lease=30000ms count=100 -> Empty died=0 next_after=none
-- @example jobs that were given up are not kept for ever
--   queue.schedule name=mail id=1 payload=hello -> Scheduled
--   claim name=mail receipt=w1 lease=20ms max_attempts=1 -> Claimed
--   wait 50ms
--   claim name=mail receipt=w2 lease=20ms max_attempts=1 keep_dead=0 -> Empty died=1
--   queue.inspect name=mail -> Counts dead=0

local due, inflight, jobs, claims, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local receipt, lease_ms, count, max_attempts, keep_dead =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local LONGEST_LEASE_MS = 86400000
local MOST_BYTES = 98304 -- of payload in one claim
local MOST_DROPPED = 128 -- dead jobs in one claim, which adds at most 100

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
count = integer(count, 1, 100)
if not count then
  return redis.error_reply('RLUA_BAD_ARGUMENT count must be an integer in 1..100')
end
max_attempts = integer(max_attempts, 1, 1000000)
if not max_attempts then
  return redis.error_reply('RLUA_BAD_ARGUMENT max_attempts must be an integer in 1..1000000')
end
keep_dead = integer(keep_dead, 0, 10000)
if not keep_dead then
  return redis.error_reply('RLUA_BAD_ARGUMENT keep_dead must be an integer in 0..10000')
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local now_text = string.format('%.0f', now_ms)

-- A job that was claimed has `s:<id>`, which is `<attempt>:<place in the claim>:<receipt>`,
-- and stands in claims, all of whose scores are 0, as `<length of the receipt><receipt><id>`.
local function read_state(state)
  local attempt, place, holder = (state or ''):match('^(%d+):(%d+):(.*)$')
  return tonumber(attempt or 0), tonumber(place or 1), holder or ''
end

local function claim_of(holder, id)
  return string.format('%02d', #holder) .. holder .. id
end

-- `p:<id>` is a byte with the length of a token, the token and the payload.
local function payload_of(stored)
  return stored:sub(2 + (stored:byte(1) or 0))
end

local function fields(prefix, ids)
  local found = {}
  for index = 1, #ids do
    found[index] = prefix .. ids[index]
  end
  return found
end

local format = redis.call('HGET', jobs, 'v')
if format then
  if format ~= '1' then
    return redis.error_reply('RLUA_BAD_STATE the jobs are not in format 1')
  end
elseif redis.call('EXISTS', jobs) == 1 then
  return redis.error_reply('RLUA_BAD_STATE the jobs have no format number')
end

-- Of another type, each key must fail before anything is written.
local due_count, dead_count = redis.call('ZCARD', due), redis.call('ZCARD', dead)
local overdue = redis.call('ZRANGE', inflight, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, count)
local mark = claim_of(receipt, '')
local last = mark .. string.rep('\255', 64)
local held = redis.call('ZRANGE', claims, '[' .. mark, '[' .. last, 'BYLEX', 'LIMIT', 0, 100)

if not format then
  -- An eviction took the jobs, and nothing else of the queue makes sense without them.
  local lost = due_count + redis.call('ZCARD', inflight)
  redis.call('UNLINK', due, inflight, claims, dead)
  return {'Empty', lost, false}
end

if #held > 0 then
  local ids = {}
  for index = 1, #held do
    ids[index] = held[index]:sub(#mark + 1)
  end
  local states = redis.call('HMGET', jobs, unpack(fields('s:', ids)))
  local ends = redis.call('ZMSCORE', inflight, unpack(ids))

  local leases, attempts, placed = {}, {}, {}
  for index = 1, #ids do
    local attempt, place = read_state(states[index])
    attempts[index], placed[place] = attempt, index
    local until_ms = now_ms + lease_ms
    local earlier_ms = tonumber(ends[index] or 0)
    if earlier_ms <= now_ms + LONGEST_LEASE_MS then
      until_ms = math.max(until_ms, earlier_ms) -- a late resend cuts no lease short
    end
    leases[2 * index - 1], leases[2 * index] = string.format('%.0f', until_ms), ids[index]
  end
  redis.call('ZADD', inflight, 'XX', unpack(leases))

  local reply = {'Claimed', 0}
  for place = 1, 100 do
    local index = placed[place]
    local stored = index and redis.call('HGET', jobs, 'p:' .. ids[index])
    if stored then
      reply[#reply + 1] = ids[index]
      reply[#reply + 1] = attempts[index]
      reply[#reply + 1] = payload_of(stored)
    end
  end
  return reply
end

if #overdue < count then
  -- No lease was granted so long: the clock was set back.
  local latest = string.format('(%.0f', now_ms + LONGEST_LEASE_MS)
  local left = count - #overdue
  local ahead = redis.call('ZRANGE', inflight, latest, '+inf', 'BYSCORE', 'LIMIT', 0, left)
  for index = 1, #ahead do
    overdue[#overdue + 1] = ahead[index]
  end
end

-- Jobs whose leases are over come first: they were due before. All that a call looks at is
-- count jobs, whatever becomes of them.
local ids, overdue_count = overdue, #overdue
if overdue_count < count then
  local left = count - overdue_count
  local ready = redis.call('ZRANGE', due, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, left)
  for index = 1, #ready do
    ids[overdue_count + index] = ready[index]
  end
end

local taken, given_up, freed, started, ended = {}, {}, {}, {}, {}
local attempts, payloads, size, died = {}, {}, 0, 0
if #ids > 0 then
  local states = redis.call('HMGET', jobs, unpack(fields('s:', ids)))
  for index = 1, #ids do
    local id = ids[index]
    local is_overdue = index <= overdue_count
    local attempt, _, holder = read_state(states[index])
    if is_overdue and attempt >= max_attempts then
      died = died + 1
      freed[#freed + 1] = id
      given_up[#given_up + 1] = now_text
      given_up[#given_up + 1] = id
    else
      local stored = redis.call('HGET', jobs, 'p:' .. id)
      if stored then
        local payload = payload_of(stored)
        size = size + #payload
        if size > MOST_BYTES then
          break
        end
        taken[#taken + 1] = id
        attempts[#taken] = attempt + 1
        payloads[#taken] = payload
      else
        died = died + 1
        freed[#freed + 1] = id
      end
    end
    if is_overdue then
      ended[#ended + 1] = claim_of(holder, id)
    else
      started[#started + 1] = id
    end
  end
end

if #freed > 0 then
  redis.call('ZREM', inflight, unpack(freed))
end
if #ended > 0 then
  redis.call('ZREM', claims, unpack(ended))
end
if #started > 0 then
  redis.call('ZREM', due, unpack(started))
end
if #given_up > 0 then
  redis.call('ZADD', dead, unpack(given_up))
end
local excess = math.min(dead_count + #given_up / 2 - keep_dead, MOST_DROPPED)
if excess > 0 then
  local oldest = redis.call('ZRANGE', dead, 0, excess - 1)
  redis.call('HDEL', jobs, unpack(fields('p:', oldest)))
  redis.call('HDEL', jobs, unpack(fields('s:', oldest)))
  redis.call('ZREM', dead, unpack(oldest))
end

if #taken == 0 then
  local next_due = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  local next_end = redis.call('ZRANGE', inflight, 0, 0, 'WITHSCORES')
  if #next_end == 0 then
    redis.call('UNLINK', claims) -- what an eviction left of them
  end
  if #next_due == 0 and #next_end == 0 then
    if redis.call('ZCARD', dead) == 0 then
      redis.call('UNLINK', jobs)
    end
    return {'Empty', died, false}
  end
  local next_ms = math.min(tonumber(next_due[2] or 'inf'), tonumber(next_end[2] or 'inf'))
  return {'Empty', died, math.max(next_ms - now_ms, 0)}
end

local reply, leases, marks, changes = {'Claimed', died}, {}, {}, {}
local until_text = string.format('%.0f', now_ms + lease_ms)
for index = 1, #taken do
  local id = taken[index]
  reply[3 * index], reply[3 * index + 1] = id, attempts[index]
  reply[3 * index + 2] = payloads[index]
  leases[2 * index - 1], leases[2 * index] = until_text, id
  marks[2 * index - 1], marks[2 * index] = '0', mark .. id
  changes[2 * index - 1] = 's:' .. id
  changes[2 * index] = string.format('%.0f:%d:', attempts[index], index) .. receipt
end
redis.call('ZADD', inflight, unpack(leases))
redis.call('ZADD', claims, unpack(marks))
redis.call('HSET', jobs, unpack(changes))
return reply
