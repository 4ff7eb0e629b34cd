-- Wipe a whole queue, a slice per call. KEYS[1] meta, KEYS[2] base
-- ARGV[1] count, ARGV[2] force
local maxCount = tonumber(ARGV[1])
local baseKey = KEYS[2]

local function getListItems(keyName, max)
  return redis.call('LRANGE', keyName, 0, max - 1)
end

local function removeJobs(keys)
  for i, key in ipairs(keys) do
    local jobKey = baseKey .. key
    redis.call("DEL", jobKey, jobKey .. ':logs')
  end
  maxCount = maxCount - #keys
end

if redis.call("HEXISTS", KEYS[1], "paused") ~= 1 then
  return -1
end

local activeKey = baseKey .. 'active'
local activeJobs = getListItems(activeKey, maxCount)
if #activeJobs > 0 then
  if ARGV[2] == "" then
    return -2
  end
end

removeJobs(activeJobs)
redis.call("LTRIM", activeKey, #activeJobs, -1)
if maxCount <= 0 then
  return 1
end

redis.call("DEL", baseKey .. 'events', baseKey .. 'id', baseKey .. 'limiter', KEYS[1])
return 0
