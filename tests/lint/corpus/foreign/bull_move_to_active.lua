--[[
  Moves the next job from wait to active.

  KEYS[1] wait key
  KEYS[2] active key
  KEYS[3] prioritized key
  KEYS[4] stream events key
  KEYS[5] stalled key
  KEYS[6] rate limiter key
  KEYS[7] delayed key
  KEYS[8] paused key
  KEYS[9] meta key

  ARGV[1] key prefix
  ARGV[2] timestamp
  ARGV[3] opts (msgpack): token, lockDuration, limiter
]]
local rcall = redis.call
local waitKey = KEYS[1]
local activeKey = KEYS[2]
local eventStreamKey = KEYS[4]
local rateLimiterKey = KEYS[6]
local delayedKey = KEYS[7]
local opts = cmsgpack.unpack(ARGV[3])

local function limiterWait(maxJobs, limiterKey)
  if not maxJobs then return 0 end
  local started = tonumber(rcall("GET", limiterKey) or 0)
  if started < maxJobs then return 0 end
  local left = rcall("PTTL", limiterKey)
  if left == 0 then rcall("DEL", limiterKey) end
  return math.max(left, 0)
end

local function promoteDelayedJobs(delayedKey, waitKey, prioritizedKey, eventStreamKey, prefix, timestamp)
  local jobs = rcall("ZRANGEBYSCORE", delayedKey, 0, (timestamp + 1) * 0x1000 - 1, "LIMIT", 0, 1000)
  if (#jobs > 0) then
    rcall("ZREM", delayedKey, unpack(jobs))
    for _, jobId in ipairs(jobs) do
      local jobKey = prefix .. jobId
      local priority = tonumber(rcall("HGET", jobKey, "priority")) or 0
      if priority == 0 then
        rcall("LPUSH", waitKey, jobId)
      else
        rcall("ZADD", prioritizedKey, priority, jobId)
      end
      rcall("XADD", eventStreamKey, "*", "event", "waiting", "jobId", jobId, "prev", "delayed")
      rcall("HSET", jobKey, "delay", 0)
    end
  end
end

local function prepareJobForProcessing(prefix, rateLimiterKey, eventStreamKey, jobId, processedOn, opts)
  local jobKey = prefix .. jobId
  local limiter = opts['limiter']
  if limiter then
    local jobCounter = tonumber(rcall("INCR", rateLimiterKey))
    if jobCounter == 1 then
      rcall("PEXPIRE", rateLimiterKey, limiter['duration'])
    end
  end
  if opts['token'] ~= "0" then
    rcall("SET", jobKey .. ':lock', opts['token'], "PX", opts['lockDuration'])
  end
  rcall("XADD", eventStreamKey, "*", "event", "active", "jobId", jobId, "prev", "waiting")
  rcall("HSET", jobKey, "processedOn", processedOn)
  rcall("HINCRBY", jobKey, "ats", 1)
  return {rcall("HGETALL", jobKey), jobId, 0, 0}
end

promoteDelayedJobs(delayedKey, waitKey, KEYS[3], eventStreamKey, ARGV[1], ARGV[2])

local maxJobs = tonumber(opts['limiter'] and opts['limiter']['max'])
local expireTime = limiterWait(maxJobs, rateLimiterKey)
if expireTime > 0 then
  return {0, 0, expireTime, 0}
end

if rcall("HEXISTS", KEYS[9], "paused") == 1 then return {0, 0, 0, 0} end

local jobId = rcall("RPOPLPUSH", waitKey, activeKey)
if jobId then
  return prepareJobForProcessing(ARGV[1], rateLimiterKey, eventStreamKey, jobId, ARGV[2], opts)
else
  local popped = rcall("ZPOPMIN", KEYS[3])
  if #popped > 0 then
    rcall("LPUSH", activeKey, popped[1])
    return prepareJobForProcessing(ARGV[1], rateLimiterKey, eventStreamKey, popped[1], ARGV[2], opts)
  end
end

local nextTimestamp = rcall("ZRANGE", delayedKey, 0, 0, "WITHSCORES")[2]
if nextTimestamp ~= nil then
  return {0, 0, 0, nextTimestamp / 0x1000}
end
return {0, 0, 0, 0}
