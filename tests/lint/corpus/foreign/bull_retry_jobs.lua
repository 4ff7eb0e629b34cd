--[[
  Move failed jobs back to wait, in batches.
    KEYS[1] base key   KEYS[2] failed   KEYS[3] wait   KEYS[4] meta   KEYS[5] paused
    ARGV[1] count      ARGV[2] timestamp
]]
local maxCount = tonumber(ARGV[1]) or 1000
local timestamp = tonumber(ARGV[2])
local rcall = redis.call

-- for from, to in slices(count, step): walks 1..count in steps
local function slices(count, step)
  local last = 0
  return function()
    if last >= count then return nil end
    local first = last + 1
    last = math.min(last + step, count)
    return first, last
  end
end

local jobs = rcall('ZRANGEBYSCORE', KEYS[2], 0, timestamp, 'LIMIT', 0, maxCount)
if (#jobs > 0) then
  for _, key in ipairs(jobs) do
    rcall("HDEL", KEYS[1] .. key, "finishedOn", "processedOn", "failedReason")
  end

  local target = KEYS[3]
  if rcall("HEXISTS", KEYS[4], "paused") == 1 then
    target = KEYS[5]
  end

  for from, to in slices(#jobs, 7000) do
    rcall("ZREM", KEYS[2], unpack(jobs, from, to))
    rcall("LPUSH", target, unpack(jobs, from, to))
  end
end

maxCount = maxCount - #jobs
if (maxCount <= 0) then return 1 end
return 0
