--[[
  Workflow engine: one script for all operations.

  KEYS[1]  workflows     hash   id -> state (msgpack)
  KEYS[2]  ready         zset   task id scored by priority
  KEYS[3]  running       zset   task id scored by lease end
  KEYS[4]  delayed       zset   task id scored by due time
  KEYS[5]  tasks         hash   task id -> task (msgpack)
  KEYS[6]  failures      list   the last failed tasks
  KEYS[7]  stats         hash   counters

  ARGV[1]  operation
  ARGV[2]  now in milliseconds
  ARGV[3…] arguments of the operation

  Replies are arrays, the first element is a tag.
]]

local WORKFLOWS = KEYS[1]
local READY     = KEYS[2]
local RUNNING   = KEYS[3]
local DELAYED   = KEYS[4]
local TASKS     = KEYS[5]
local FAILURES  = KEYS[6]
local STATS     = KEYS[7]

local operation = ARGV[1]
local now = tonumber(ARGV[2])

if not now then
  return redis.error_reply('BADTIME now must be a number of milliseconds')
end

local MAX_FAILURES = 1000
local BATCH = 200

------------------------------------------------------------------------
-- small things
------------------------------------------------------------------------

local function count(name, by)
  return redis.call('HINCRBY', STATS, name, by or 1)
end

local function number_at(index, default)
  local value = tonumber(ARGV[index])
  if value == nil then
    return default
  end
  return value
end

local function contains(list, wanted)
  for _, one in ipairs(list) do
    if one == wanted then
      return true
    end
  end
  return false
end

local function copy(list)
  local out = {}
  for i = 1, #list do
    out[i] = list[i]
  end
  return out
end

------------------------------------------------------------------------
-- tasks
------------------------------------------------------------------------

local function load_task(id)
  local packed = redis.call('HGET', TASKS, id)
  if not packed then
    return nil
  end
  return cmsgpack.unpack(packed)
end

local function save_task(task)
  redis.call('HSET', TASKS, task.id, cmsgpack.pack(task))
end

local function drop_task(id)
  redis.call('HDEL', TASKS, id)
  redis.call('ZREM', READY, id)
  redis.call('ZREM', RUNNING, id)
  redis.call('ZREM', DELAYED, id)
end

local function new_task(id, workflow, kind, priority)
  return {
    id = id,
    workflow = workflow,
    kind = kind,
    priority = priority or 0,
    attempts = 0,
    created = now,
    after = {},
  }
end

local function enqueue(task, delay)
  if delay and delay > 0 then
    redis.call('ZADD', DELAYED, now + delay, task.id)
  else
    redis.call('ZADD', READY, task.priority, task.id)
  end
  save_task(task)
  count('enqueued')
end

local function backoff(attempts)
  local wait = 1000 * 2 ^ attempts
  if wait > 3600000 then
    wait = 3600000
  end
  return wait
end

------------------------------------------------------------------------
-- workflows
------------------------------------------------------------------------

local function load_workflow(id)
  local packed = redis.call('HGET', WORKFLOWS, id)
  if packed == nil then
    return nil
  end
  return cmsgpack.unpack(packed)
end

local function save_workflow(workflow)
  redis.call('HSET', WORKFLOWS, workflow.id, cmsgpack.pack(workflow))
end

local function workflow_done(workflow)
  return workflow.done >= workflow.total
end

local function finish_workflow(workflow)
  workflow.state = 'done'
  workflow.finished = now
  save_workflow(workflow)
  redis.call('SET', 'workflow:last', workflow.id)
  count('workflows_done')
end

------------------------------------------------------------------------
-- moving tasks
------------------------------------------------------------------------

local function promote()
  local due = redis.call('ZRANGEBYSCORE', DELAYED, '-inf', now, 'LIMIT', 0, BATCH)
  for _, id in ipairs(due) do
    local task = load_task(id)
    redis.call('ZREM', DELAYED, id)
    redis.call('ZADD', READY, task.priority, id)
  end
  return #due
end

local function requeue_expired()
  local ids = redis.call('ZRANGEBYSCORE', RUNNING, '-inf', now)
  for _, id in ipairs(ids) do
    local task = load_task(id)
    if task then
      task.attempts = task.attempts + 1
      save_task(task)
      redis.call('ZREM', RUNNING, id)
      redis.call('ZADD', READY, task.priority, id)
    else
      drop_task(id)
    end
  end
  if #ids > 0 then
    count('expired', #ids)
  end
  return #ids
end

local function unlock_dependents(workflow, id)
  local unlocked = 0
  for other, waits in pairs(workflow.waiting or {}) do
    if contains(waits, id) then
      local left = {}
      for _, one in ipairs(waits) do
        if one ~= id then
          left[#left + 1] = one
        end
      end
      if #left == 0 then
        workflow.waiting[other] = nil
        local task = load_task(other)
        if task then
          enqueue(task)
          unlocked = unlocked + 1
        end
      else
        workflow.waiting[other] = left
      end
    end
  end
  return unlocked
end

local function record_failure(task, reason)
  local text = cjson.encode({ id = task.id, kind = task.kind, at = now, reason = reason })
  redis.call('LPUSH', FAILURES, text)
  redis.call('LTRIM', FAILURES, 0, MAX_FAILURES - 1)
end

------------------------------------------------------------------------
-- operations
------------------------------------------------------------------------

local operations = {}

function operations.create()
  local id = ARGV[3]
  if redis.call('HEXISTS', WORKFLOWS, id) then
    return { 'EXISTS' }
  end
  local definition = cjson.decode(ARGV[4])
  local workflow = { id = id, state = 'running', total = 0, done = 0, waiting = {} }
  for _, step in ipairs(definition.steps) do
    local task = new_task(id .. '/' .. step.name, id, step.kind, step.priority)
    workflow.total = workflow.total + 1
    if step.after and #step.after > 0 then
      workflow.waiting[task.id] = copy(step.after)
      save_task(task)
    else
      enqueue(task)
    end
  end
  save_workflow(workflow)
  return { 'CREATED', workflow.total }
end

function operations.take()
  promote()
  local lease = number_at(3, 30000)
  local popped = redis.call('ZPOPMIN', READY)
  local id = popped[1]
  if not id then
    return { 'EMPTY' }
  end
  local task = load_task(id)
  if not task then
    count('orphans')
    return { 'EMPTY' }
  end
  redis.call('ZADD', RUNNING, now + lease, id)
  return { 'TASK', id, task.kind, task.attempts }
end

function operations.complete()
  local id = ARGV[3]
  if redis.call('ZREM', RUNNING, id) == 0 then
    return { 'NOTRUNNING' }
  end
  local task = load_task(id)
  if not task then
    return { 'GONE' }
  end
  local workflow = load_workflow(task.workflow)
  workflow.done = workflow.done + 1
  local unlocked = unlock_dependents(workflow, id)
  drop_task(id)
  if workflow_done(workflow) then
    finish_workflow(workflow)
    return { 'FINISHED', workflow.id }
  end
  save_workflow(workflow)
  return { 'COMPLETED', unlocked, workflow.done / workflow.total }
end

function operations.fail()
  local id = ARGV[3]
  local limit = number_at(5, 5)
  local task = load_task(id)
  if not task then
    return { 'GONE' }
  end
  task.attempts = task.attempts + 1
  redis.call('ZREM', RUNNING, id)
  if task.attempts >= limit then
    record_failure(task, ARGV[4])
    drop_task(id)
    count('failed')
    return { 'DEAD', task.attempts }
  end
  local wait = backoff(task.attempts)
  enqueue(task, wait)
  return { 'RETRY', wait }
end

function operations.sweep()
  return { 'SWEPT', promote(), requeue_expired() }
end

function operations.stats()
  local out = { 'STATS' }
  local flat = redis.call('HGETALL', STATS)
  for i = 1, #flat do
    out[#out + 1] = flat[i]
  end
  return out
end

local run = operations[operation]
if not run then
  error({ code = 'UNKNOWN', operation = operation })
end
return run()
