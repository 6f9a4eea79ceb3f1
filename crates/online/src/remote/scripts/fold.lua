-- KEYS: the view. ARGV: how much work. Moves rows of the load that lies over the others among them; readers see the same
-- before and after. Returns whether all is done, and how many rows were new.
local over, base = unpack(redis.call('HMGET', KEYS[1], 'over', 'base'))
if not over then return { 1, 0 } end
local entities, most = entities_of(over), tonumber(ARGV[1])
local work, fresh, done = 0, 0, 0
while work < most do
  local entity = redis.call('LINDEX', entities, 0)
  if not entity then
    redis.call('HDEL', KEYS[1], 'over')
    done = 1
    break
  end
  local from, to = rows_of(over, entity), rows_of(base, entity)
  if redis.call('EXISTS', to) == 0 then
    redis.call('RENAME', from, to)
    redis.call('RPUSH', entities_of(base), entity)
    fresh = fresh + redis.call('ZCARD', to)
  else
    local members = redis.call('ZRANGE', from, 0, most - 1)
    for _, member in ipairs(members) do
      fresh = fresh + put_one(to, member)
    end
    redis.call('ZREMRANGEBYRANK', from, 0, #members - 1)
    work = work + #members
  end
  if redis.call('EXISTS', from) == 0 then redis.call('LPOP', entities) end
  work = work + 1
end
redis.call('HINCRBY', KEYS[1], 'rows', fresh)
return { done, fresh }
