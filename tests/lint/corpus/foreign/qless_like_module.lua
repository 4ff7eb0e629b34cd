-- Current SHA: 0d61b1
-- This is a generated file
local Qless = {
  ns = 'ql:'
}

local QlessQueue = {
  ns = Qless.ns .. 'q:'
}
QlessQueue.__index = QlessQueue

QlessJob = {
  ns = Qless.ns .. 'j:'
}
QlessJob.__index = QlessJob

function table.extend(self, other)
  for i, v in ipairs(other) do
    table.insert(self, v)
  end
end

function Qless.job(jid)
  assert(jid, 'Job(): no jid provided')
  local job = {}
  setmetatable(job, QlessJob)
  job.jid = jid
  return job
end

function Qless.queue(name)
  assert(name, 'Queue(): no queue name provided')
  local queue = {}
  setmetatable(queue, QlessQueue)
  queue.name = name
  return queue
end

function QlessQueue:prefix(group)
  if group then
    return QlessQueue.ns .. self.name .. '-' .. group
  else
    return QlessQueue.ns .. self.name
  end
end

function QlessQueue:length()
  return redis.call('ZCARD', self:prefix('work')) +
         redis.call('ZCARD', self:prefix('locks'))
end

function QlessQueue:put(now, jid, priority)
  redis.call('ZADD', self:prefix('work'), priority, jid)
  redis.call('HSET', QlessJob.ns .. jid, 'state', 'waiting', 'queue', self.name)
end

local now = tonumber(ARGV[2])
if not now then
  error('now not a number: ' .. tostring(ARGV[2]))
end

local command = ARGV[1]
if command == 'put' then
  Qless.queue(ARGV[3]):put(now, ARGV[4], tonumber(ARGV[5]) or 0)
  return ARGV[4]
elseif command == 'length' then
  return Qless.queue(ARGV[3]):length()
end
error('Unknown command ' .. command)
