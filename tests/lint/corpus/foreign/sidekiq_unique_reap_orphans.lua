redis.replicate_commands()

-- keys
local digests_set  = KEYS[1]
local schedule_set = KEYS[2]
local retry_set    = KEYS[3]

local reaper_count = tonumber(ARGV[1])

local function find_digest_in_sorted_set(name, digest)
  local cursor = "0"
  local count  = 50
  local found  = false
  repeat
    local pagination = redis.call("ZSCAN", name, cursor, "MATCH", "*" .. digest .. "*", "COUNT", count)
    local items = pagination[2]
    cursor = pagination[1]
    if #items > 0 then found = true break end
  until cursor == "0"
  return found
end

local function find_digest_in_queues(digest)
  local found = false
  local queues = redis.call("SMEMBERS", "queues")
  for _, queue in ipairs(queues) do
    local key = "queue:" .. queue
    local jobs = redis.call("LRANGE", key, 0, -1)
    for _, job in ipairs(jobs) do
      if string.find(job, digest, 1, true) then
        found = true
        break
      end
    end
  end
  return found
end

local orphans = {}
local digests = redis.call("ZREVRANGE", digests_set, 0, -1)
for _, digest in ipairs(digests) do
  if #orphans >= reaper_count then break end
  if not (find_digest_in_sorted_set(schedule_set, digest) or find_digest_in_sorted_set(retry_set, digest) or find_digest_in_queues(digest)) then
    table.insert(orphans, digest)
  end
end

if #orphans > 0 then
  redis.call("ZREM", digests_set, unpack(orphans))
end
return #orphans
