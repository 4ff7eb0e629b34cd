-- GCRA rate limiter (atomic)
-- KEYS[1]: rate limit key
-- ARGV[1]: burst, ARGV[2]: rate, ARGV[3]: period (seconds), ARGV[4]: cost

local key = KEYS[1]
local burst = tonumber(ARGV[1])
local rate = tonumber(ARGV[2])
local period = tonumber(ARGV[3])
local cost = tonumber(ARGV[4] or 1)

local emission_interval = period / rate
local increment = emission_interval * cost
local burst_offset = emission_interval * burst

-- Use a jan 1 2020 epoch to keep precision
local jan_1_2020 = 1577836800
local now = redis.call("TIME")
now = (now[1] - jan_1_2020) + (now[2] / 1000000)

local tat = redis.call("GET", key)
if tat == nil then
  tat = now
else
  tat = tonumber(tat)
end

local new_tat = math.max(tat, now) + increment
local allow_at = new_tat - burst_offset
local diff = now - allow_at
local remaining = diff / emission_interval

if remaining < 0 then
  return {
    allowed = false,
    remaining = 0,
    retry_after = diff * -1,
  }
end

redis.call("SET", key, new_tat, "EX", new_tat - now)
return { allowed = true, remaining = remaining, retry_after = -1 }
