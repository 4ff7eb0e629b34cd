"""The Lua around a script: the globals that a server has, `redis`, and the hooks.

Its chunk is called ``=redislua``. Hooks tell it by that name from the script, so none of its
own instructions and lines are counted.
"""

from __future__ import annotations

__all__ = ["PRELUDE"]

PRELUDE = rb"""
local names, constants, keys, argv, functions, refuse, raised = ...
local as_function = python.as_function
local debug, string = debug, string
local error, load, loadstring, pairs, pcall, rawget, setfenv =
  error, load, loadstring, pairs, pcall, rawget, setfenv
local setmetatable, sethook, getinfo, tostring, type, xpcall =
  setmetatable, debug.sethook, debug.getinfo, tostring, type, xpcall
local resume, create = coroutine.resume, coroutine.create

local OWN, SCRIPT = '=redislua', '@user_script'
local steps, limit, stopped = 0, 0, false
local hits, yes, no, broken = {}, {}, {}, {}

-- --- hooks ----------------------------------------------------------------------------------

local function expired()
  if getinfo(2, 'S').source ~= OWN then
    error('the script ran more instructions than it is given', 0)
  end
end

-- From here on each instruction of the script fails: no pcall in a loop goes on for ever.
local function stop()
  stopped = true
  sethook(expired, '', 1)
end

local hooks = {
  -- Once for each instruction of the script: exact, and the same in every run.
  instructions = {function()
    if getinfo(2, 'S').source ~= OWN then
      steps = steps + 1
      if steps > limit then stop() end
    end
  end, '', 1},
  lines = {function(event, line)
    if event == 'line' then
      if getinfo(2, 'S').source == SCRIPT then hits[line] = (hits[line] or 0) + 1 end
    else
      steps = steps + 1000
      if steps > limit then stop() end
    end
  end, 'l', 1000},
  none = {function()
    steps = steps + 1000
    if steps > limit then stop() end
  end, '', 1000},
}
local hook

local function hooked(thread)
  sethook(thread, hook[1], hook[2], hook[3])
  return thread
end

-- The line of the script that is running, whatever is called in between.
local function line()
  for level = 2, 60 do
    local at = getinfo(level, 'Sl')
    if not at then return 0 end
    if at.source == SCRIPT then return at.currentline end
  end
  return 0
end

-- --- what a script sees ---------------------------------------------------------------------

local function readonly()
  error('Attempt to modify a readonly table', 2)
end

local function sealed(real, index)
  return setmetatable({}, {__index = index or real, __newindex = readonly, __metatable = false})
end

local function taken(from, wanted)
  local real = {}
  for name in pairs(wanted) do real[name] = from[name] end
  return real
end

-- Functions of C as on the server: a tail call of one leaves the script's frame in place.
local redis = {}
for name, reply in pairs(functions) do redis[name] = as_function(reply) end
for name, value in pairs(constants) do redis[name] = value end
redis = sealed(taken(redis, names.redis))

-- What Python raised for `redis.call` is the error's table; anything else stays what it is.
local function problem_of(problem)
  return type(problem) == 'userdata' and raised(problem) or problem
end

-- An error of `redis.call` is a table; the server's pcall gives its text.
local function opened(ok, problem, ...)
  if ok then return ok, problem, ... end
  problem = problem_of(problem)
  if type(problem) == 'table' and type(rawget(problem, 'err')) == 'string' then
    problem = rawget(problem, 'err')
  end
  return ok, problem
end

-- The handler is called behind the error and not inside it, where no hook would stop it.
local function handled(answer, ok, problem, ...)
  if ok then return ok, problem, ... end
  local _, value = pcall(answer, problem_of(problem))
  return false, value
end

local function passed(ok, ...)
  if not ok then error((...), 0) end
  return ...
end

local function resumed(ok, problem, ...)
  if ok then return ok, problem, ... end
  return ok, problem_of(problem)
end

coroutine.create = function(f) return hooked(create(f)) end
coroutine.wrap = function(f)
  local thread = hooked(create(f))
  return function(...) return passed(resume(thread, ...)) end
end

coroutine.resume = function(...) return resumed(resume(...)) end

local real = taken(_G, names._G)
for _, name in pairs({'string', 'table', 'math', 'os', 'coroutine'}) do
  if names[name] then real[name] = sealed(taken(_G[name], names[name])) end
end
real.pcall = function(...) return opened(pcall(...)) end
real.xpcall = function(f, answer) return handled(answer, pcall(f)) end
real.redis, real.KEYS, real.ARGV = redis, keys, argv
if names._G.server then real.server = redis end
for _, name in pairs({'bit', 'cjson', 'cmsgpack', 'struct'}) do
  real[name] = sealed(nil, function() refuse(name) end)
end

-- What `redislua.probe.engine.branches` writes into a script.
function real.__redislua_way(number, value)
  local way = value and yes or no
  way[number] = (way[number] or 0) + 1
  return value
end
function real.__redislua_round(number)
  yes[number] = (yes[number] or 0) + 1
end
function real.__redislua_break(number)
  broken[number] = true
end
function real.__redislua_left(number)
  if not broken[number] then no[number] = (no[number] or 0) + 1 end
  broken[number] = nil
end

local env = sealed(nil, function(_, name)
  local value = real[name]
  if value == nil then
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end
  return value
end)
real._G = env

-- What a script compiles sees what the script sees; the server takes no bytecode.
local function compiled(ok, chunk, ...)
  if not ok then error(chunk, 0) end
  if chunk then setfenv(chunk, env) end
  return chunk, ...
end
real.load = function(...) return compiled(pcall(load, ...)) end
real.loadstring = function(text, ...)
  if type(text) == 'string' and text:byte() == 27 then
    return nil, "bytecode is not loaded"
  end
  return compiled(pcall(loadstring, text, ...))
end

-- --- running --------------------------------------------------------------------------------

local failed_at = 0

local function failed(problem)
  for level = 2, 60 do
    local at = getinfo(level, 'Sl')
    if not at then break end
    if at.what ~= 'C' and at.source ~= OWN then
      failed_at = at.currentline
      break
    end
  end
  problem = problem_of(problem)
  if type(problem) == 'table' or type(problem) == 'userdata' then return problem end
  return {err = 'ERR ' .. tostring(problem)}
end

local function run(text, watch, most)
  local chunk, problem = loadstring(text, SCRIPT)
  if not chunk then
    problem = {err = 'ERR Error compiling script (new function): ' .. problem}
    return false, problem, nil, 0, false, hits, yes, no
  end
  setfenv(chunk, env)
  hook, limit = hooks[watch], most
  sethook(hook[1], hook[2], hook[3])
  local ok, value = xpcall(chunk, failed)
  sethook()
  return ok, value, failed_at, steps, stopped, hits, yes, no
end

return run, line
"""
"""Its arguments: names of globals and of what is in the libraries, each a set; constants of
``redis``; KEYS; ARGV; the functions of ``redis``; what is told of a library that is not offered;
what turns an error that one of the functions raised into a table. It returns what runs one
text, and what tells the line that the script is at.
"""
