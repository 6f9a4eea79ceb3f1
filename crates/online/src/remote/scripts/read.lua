#!lua flags=no-writes
-- KEYS: the view. ARGV: of each question an entity, from, to, and 1 where the latest row alone is asked for. Returns of each
-- the rows, rising, and those of a load that is not folded yet.
local base, over = unpack(redis.call('HMGET', KEYS[1], 'base', 'over'))
local function found_in(generation, at)
  if not generation then return {} end
  local rows = rows_of(generation, ARGV[at])
  if ARGV[at + 3] == '1' then
    return redis.call('ZREVRANGEBYLEX', rows, ARGV[at + 2], ARGV[at + 1], 'LIMIT', 0, 1)
  end
  return redis.call('ZRANGEBYLEX', rows, ARGV[at + 1], ARGV[at + 2])
end
local answers = {}
for at = 1, #ARGV, 4 do
  answers[#answers + 1] = { found_in(base, at), found_in(over, at) }
end
return answers
