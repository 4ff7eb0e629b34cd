-- redis.replicate_commands();

-- keys
local digest    = KEYS[1]
local queued    = KEYS[2]
local primed    = KEYS[3]
local locked    = KEYS[4]
local info      = KEYS[5]
local changelog = KEYS[6]
local digests   = KEYS[7]

-- arguments
local job_id       = ARGV[1]
local pttl         = tonumber(ARGV[2])
local lock_type    = ARGV[3]
local limit        = tonumber(ARGV[4])
local current_time = tonumber(ARGV[5])
local debug_lua    = ARGV[6] == "true"
local max_history  = tonumber(ARGV[7])
local script_name  = tostring(ARGV[8]) .. ".lua"

local function log_debug(...)
  if debug_lua ~= true then return end
  local result = ""
  for _, v in ipairs(arg) do
    result = result .. " " .. tostring(v)
  end
  redis.log(redis.LOG_DEBUG, script_name .. " -" .. result)
end

local function log(message, prev_jid)
  if not prev_jid then prev_jid = "" end
  local entry = cjson.encode({digest = digest, job_id = job_id, script = script_name, message = message, time = current_time, prev_jid = prev_jid})
  redis.call("ZADD", changelog, current_time, entry)
  local total = redis.call("ZCARD", changelog)
  if total > max_history then
    redis.call("ZREMRANGEBYRANK", changelog, 0, -1 * max_history - 1)
  end
end

log_debug("BEGIN lock digest:", digest, "job_id:", job_id)

if redis.call("HEXISTS", locked, job_id) == 1 then
  redis.call("ZADD", digests, current_time, digest)
  log("Duplicate")
  return job_id
end

local locked_count   = redis.call("HLEN", locked)
local within_limit   = limit > locked_count
local limit_exceeded = not within_limit

if limit_exceeded then
  log("Limited")
  return nil
end

redis.call("ZADD", digests, current_time, digest)
redis.call("HSET", locked, job_id, current_time)
redis.call("LREM", queued, -1, job_id)
redis.call("LREM", primed, 1, job_id)

if pttl and pttl > 0 then
  redis.call("PEXPIRE", digest, pttl)
  redis.call("PEXPIRE", locked, pttl)
  redis.call("PEXPIRE", info, pttl)
end

log("Locked")
return job_id
