-- What the scripts share. A member is told apart in `remote::member`: time (8), then 0 or 1 and when it was created (8), then
-- the identity, then the packed values where they are not the identity.

local function rows_of(generation, entity)
  return 'bedplate:rows:' .. generation .. ':' .. entity
end

local function entities_of(generation)
  return 'bedplate:entities:' .. generation
end

-- Where the identity that begins at `at` ends.
local function identity_end(member, at)
  local sort = member:byte(at)
  if sort == 105 then return at + 8 end
  if sort == 115 then
    local a, b, c, d = member:byte(at + 1, at + 4)
    return at + 4 + ((a * 256 + b) * 256 + c) * 256 + d
  end
  return #member
end

-- By bytes: Lua's own comparison goes by the locale.
local function less(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = one:byte(i), other:byte(i)
    if a ~= b then return a < b end
  end
  return #one < #other
end

-- The stored version of a row: of its time and identity.
local function version_of(rows, member)
  if member:byte(9) == 0 then
    local head = member:sub(1, identity_end(member, 10))
    local found = redis.call('ZRANGEBYLEX', rows, '[' .. head, '+', 'LIMIT', 0, 1)[1]
    if found and found:sub(1, identity_end(found, 10)) == head then return found end
    return nil
  end
  local identity = member:sub(18, identity_end(member, 18))
  for _, found in ipairs(redis.call('ZRANGEBYLEX', rows, '[' .. member:sub(1, 9), '(' .. member:sub(1, 8) .. '\255')) do
    if found:sub(18, identity_end(found, 18)) == identity then return found end
  end
  return nil
end

-- Stores one row unless the same or a greater version is there; returns 1 when the row is new.
local function put_one(rows, member)
  -- One that is known by its values alone has no other version.
  if member:byte(9) == 0 and member:byte(10) == 118 then return redis.call('ZADD', rows, 0, member) end
  local stored = version_of(rows, member)
  if not stored then
    redis.call('ZADD', rows, 0, member)
    return 1
  end
  if less(stored, member) then
    redis.call('ZREM', rows, stored)
    redis.call('ZADD', rows, 0, member)
  end
  return 0
end

-- ARGV from `at` on: an entity, how many rows, its rows, of each time and identity one; and so on.
local function put_all(generation, at)
  local fresh = 0
  while at <= #ARGV do
    local entity, count = ARGV[at], tonumber(ARGV[at + 1])
    local rows = rows_of(generation, entity)
    if redis.call('EXISTS', rows) == 0 then
      redis.call('RPUSH', entities_of(generation), entity)
      for first = at + 2, at + 1 + count, 1000 do
        local added = {}
        for i = first, math.min(first + 999, at + 1 + count) do
          added[#added + 1] = 0
          added[#added + 1] = ARGV[i]
        end
        redis.call('ZADD', rows, unpack(added))
      end
      fresh = fresh + count
    else
      for i = at + 2, at + 1 + count do
        fresh = fresh + put_one(rows, ARGV[i])
      end
    end
    at = at + 2 + count
  end
  return fresh
end

local function throw_away(generation)
  redis.call('RPUSH', 'bedplate:trash', generation)
end
