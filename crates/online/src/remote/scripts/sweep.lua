#!lua flags=allow-oom
-- ARGV: how many entities. Removes rows that nobody sees; returns 0 when there are none.
local generation = redis.call('LINDEX', 'bedplate:trash', 0)
if not generation then return 0 end
local entities, most = entities_of(generation), tonumber(ARGV[1])
local found = redis.call('LRANGE', entities, 0, most - 1)
if #found == 0 then
  redis.call('LPOP', 'bedplate:trash')
  return 1
end
local keys = {}
for i, entity in ipairs(found) do keys[i] = rows_of(generation, entity) end
redis.call('UNLINK', unpack(keys))
redis.call('LTRIM', entities, most, -1)
return 1
