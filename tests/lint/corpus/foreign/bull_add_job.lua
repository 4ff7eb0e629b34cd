--[[
  Adds a job to the queue.

    Input:
      KEYS[1] 'wait'
      KEYS[2] 'meta'
      KEYS[3] 'id'
      KEYS[4] 'delayed'
      KEYS[5] 'prioritized'
      KEYS[6] events stream
      KEYS[7] priority counter

      ARGV[1] msgpacked arguments array
            [1] key prefix
            [2] custom id (will not generate one automatically)
            [3] name
            [4] timestamp
      ARGV[2] Json stringified job data
      ARGV[3] msgpacked options

    Output:
      jobId
]]
local rcall = redis.call

local args = cmsgpack.unpack(ARGV[1])
local data = ARGV[2]
local opts = cmsgpack.unpack(ARGV[3])

local function getOrSetMaxEvents(metaKey)
  local maxEvents = rcall("HGET", metaKey, "opts.maxLenEvents")
  if not maxEvents then
    maxEvents = 10000
    rcall("HSET", metaKey, "opts.maxLenEvents", maxEvents)
  end
  return maxEvents
end

local function storeJob(eventsKey, jobIdKey, jobId, name, data, opts, timestamp)
  local delay = opts['delay'] or 0
  local priority = opts['priority'] or 0
  rcall("HMSET", jobIdKey, "name", name, "data", data, "opts", cjson.encode(opts),
    "timestamp", timestamp, "delay", delay, "priority", priority)
  rcall("XADD", eventsKey, "*", "event", "added", "jobId", jobId, "name", name)
  return delay, priority
end

local function addJobWithPriority(prioritizedKey, priority, jobId, counterKey)
  local prioCounter = rcall("INCR", counterKey)
  local score = priority * 0x100000000 + prioCounter % 0x100000000
  rcall("ZADD", prioritizedKey, score, jobId)
end

local jobCounter = rcall("INCR", KEYS[3])
local maxEvents = getOrSetMaxEvents(KEYS[2])

local jobId
local jobIdKey
if args[2] == "" then
  jobId = jobCounter
else
  jobId = args[2]
end
jobIdKey = args[1] .. jobId

if rcall("EXISTS", jobIdKey) == 1 then
  rcall("XADD", KEYS[6], "MAXLEN", "~", maxEvents, "*", "event", "duplicated", "jobId", jobId)
  return jobId .. ""
end

local delay, priority = storeJob(KEYS[6], jobIdKey, jobId, args[3], data, opts, args[4])

if delay > 0 then
  rcall("ZADD", KEYS[4], (args[4] + delay) * 0x1000 + jobCounter % 0x1000, jobId)
elseif priority > 0 then
  addJobWithPriority(KEYS[5], priority, jobId, KEYS[7])
else
  rcall(opts['lifo'] and 'RPUSH' or 'LPUSH', KEYS[1], jobId)
end

return jobId .. "" -- convert to string
