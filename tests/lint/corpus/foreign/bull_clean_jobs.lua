--[[
  Removes jobs from a set or list that are older than a timestamp.
  KEYS[1] set key
  ARGV[1] jobKey prefix, ARGV[2] timestamp, ARGV[3] limit (0 = no limit), ARGV[4] set name
]]
local command
local setKey = KEYS[1]
local limit = tonumber(ARGV[3])
local maxTs = ARGV[2]

if ARGV[4] == "wait" or ARGV[4] == "active" or ARGV[4] == "paused" then
  command = "LRANGE"
else
  command = "ZRANGE"
end

local jobIds = redis.call(command, setKey, 0, -1)
local deleted = {}
local deletedCount = 0

for i, jobId in ipairs(jobIds) do
  if limit > 0 and deletedCount >= limit then break end
  local jobKey = ARGV[1] .. jobId
  local jobTs = redis.call("HGET", jobKey, "timestamp")
  if (not jobTs or jobTs < maxTs) then
    if command == "LRANGE" then
      redis.call("LREM", setKey, 0, jobId)
    else
      redis.call("ZREM", setKey, jobId)
    end
    redis.call("DEL", jobKey, jobKey .. ":logs")
    deletedCount = deletedCount + 1
    table.insert(deleted, jobId)
  end
end

return deleted
