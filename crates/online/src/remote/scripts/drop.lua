#!lua flags=allow-oom
-- KEYS: the view. Nobody sees its rows from now on.
for _, generation in ipairs({ 'base', 'over', 'stage' }) do
  local found = redis.call('HGET', KEYS[1], generation)
  if found then throw_away(found) end
end
return redis.call('DEL', KEYS[1])
