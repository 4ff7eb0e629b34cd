--[[
  A worker is through with a job: file it under done or failed, tell the parent,
  and hand out the next one.

  Input:
    KEYS[1] wait
    KEYS[2] active
    KEYS[3] completed/failed
    KEYS[4] job key
    KEYS[5] events
    KEYS[6] meta
    KEYS[7] stalled
    KEYS[8] metrics

    ARGV[1] jobId
    ARGV[2] timestamp
    ARGV[3] msg property: returnvalue / failedReason
    ARGV[4] return value / failed reason
    ARGV[5] target (completed/failed)
    ARGV[6] fetch next?
    ARGV[7] keys prefix
    ARGV[8] opts

  Output:
    0 OK
    -1 Missing key.
    -2 Missing lock.
    -3 Job not in active set
]]
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

local function removeJobKeys(jobKey)
  return rcall("DEL", jobKey, jobKey .. ':logs', jobKey .. ':dependencies',
    jobKey .. ':processed', jobKey .. ':failed')
end

local function removeJob(jobId, prefix)
  local jobKey = prefix .. jobId
  removeJobKeys(jobKey)
end

local function removeJobs(ids, prefix)
  for i = 1, #ids do
    removeJob(ids[i], prefix)
  end
end

local function trimEvents(metaKey, eventStreamKey)
  local maxEvents = rcall("HGET", metaKey, "opts.maxLenEvents")
  if maxEvents ~= false then
    rcall("XTRIM", eventStreamKey, "MAXLEN", "~", maxEvents)
  else
    rcall("XTRIM", eventStreamKey, "MAXLEN", "~", 10000)
  end
end

local function removeJobsByMaxAge(timestamp, maxAge, targetSet, prefix)
  local start = timestamp - maxAge * 1000
  local jobIds = rcall("ZREVRANGEBYSCORE", targetSet, start, "-inf")
  removeJobs(jobIds, prefix)
  if #jobIds > 0 then
    for from, to in slices(#jobIds, 5000) do
      rcall("ZREM", targetSet, unpack(jobIds, from, to))
    end
  end
end

local function removeJobsByMaxCount(maxCount, targetSet, prefix)
  local jobIds = rcall("ZREVRANGE", targetSet, maxCount, -1)
  removeJobs(jobIds, prefix)
  rcall("ZREMRANGEBYRANK", targetSet, 0, -(maxCount + 1))
end

-- one point per minute: how many jobs were finished since the last one
local function addMetricPoint(metaKey, pointsKey, maxPoints, timestamp)
  local total = rcall("HINCRBY", metaKey, "total", 1) - 1
  local lastAt = rcall("HGET", metaKey, "lastAt")
  if not lastAt then
    rcall("HSET", metaKey, "lastAt", timestamp, "lastTotal", 0)
    return
  end
  local minutes = math.min(math.floor(timestamp / 60000) - math.floor(lastAt / 60000), tonumber(maxPoints))
  if minutes < 1 then return end

  local points = { total - rcall("HGET", metaKey, "lastTotal") }
  for i = 2, minutes do
    points[i] = 0
  end
  for from, to in slices(#points, 7000) do
    rcall("LPUSH", pointsKey, unpack(points, from, to))
  end
  rcall("LTRIM", pointsKey, 0, maxPoints - 1)
  rcall("HSET", metaKey, "lastTotal", total, "lastAt", timestamp)
end

local function updateParentIfNeeded(parentKey, jobIdKey, returnvalue)
  local deps = rcall("SCARD", parentKey .. ":dependencies")
  local removed = rcall("SREM", parentKey .. ":dependencies", jobIdKey)
  if removed == 1 then
    rcall("HSET", parentKey .. ":processed", jobIdKey, returnvalue)
    if deps == 1 then
      rcall("HSET", parentKey, "waitingChildren", 0)
    end
  end
end

local jobIdKey = KEYS[4]
if rcall("EXISTS", jobIdKey) == 1 then
  local opts = cmsgpack.unpack(ARGV[8])
  local token = opts['token']
  if token ~= "0" then
    local lockKey = jobIdKey .. ':lock'
    if rcall("GET", lockKey) == token then
      rcall("DEL", lockKey)
      rcall("SREM", KEYS[7], ARGV[1])
    else
      return -2
    end
  end

  local jobAttributes = rcall("HMGET", jobIdKey, "parentKey", "parent", "deid")
  local parentKey = jobAttributes[1] or ""
  local parentId = ""
  if jobAttributes[2] ~= false then
    local jsonDecodedParent = cjson.decode(jobAttributes[2])
    parentId = jsonDecodedParent['id']
  end

  local numRemovedElements = rcall("LREM", KEYS[2], -1, ARGV[1])
  if (numRemovedElements < 1) then return -3 end

  trimEvents(KEYS[6], KEYS[5])

  if parentKey ~= "" and ARGV[5] == "completed" then
    updateParentIfNeeded(parentKey, jobIdKey, ARGV[4])
  end

  local maxCount = opts['keepJobs']['count']
  local maxAge = opts['keepJobs']['age']
  local timestamp = ARGV[2]

  if maxCount ~= 0 then
    rcall("ZADD", KEYS[3], timestamp, ARGV[1])
    rcall("HMSET", jobIdKey, ARGV[3], ARGV[4], "finishedOn", timestamp)
    if maxAge ~= nil then
      removeJobsByMaxAge(timestamp, maxAge, KEYS[3], ARGV[7])
    end
    if maxCount ~= nil and maxCount > 0 then
      removeJobsByMaxCount(maxCount, KEYS[3], ARGV[7])
    end
  else
    removeJobKeys(jobIdKey)
  end

  rcall("XADD", KEYS[5], "*", "event", ARGV[5], "jobId", ARGV[1], ARGV[3], ARGV[4])

  if opts['maxMetricsSize'] ~= "" then
    addMetricPoint(KEYS[8], KEYS[8] .. ':data', opts['maxMetricsSize'], timestamp)
  end

  if (ARGV[6] == "1") then
    local jobId = rcall("RPOPLPUSH", KEYS[1], KEYS[2])
    if jobId then
      local jobKey = ARGV[7] .. jobId
      local lockKey = jobKey .. ':lock'
      if opts['token'] ~= "0" then
        rcall("SET", lockKey, opts['token'], "PX", opts['lockDuration'])
      end
      rcall("SADD", KEYS[7], jobId)
      rcall("HSET", jobKey, "processedOn", timestamp)
      return {rcall("HGETALL", jobKey), jobId}
    end
  end
  return 0
else
  return -1
end
