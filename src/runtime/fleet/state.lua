-- All that holds, as it is at one moment.
-- KEYS: what holds, number of the last news.
-- Answer: the time in microseconds, number of the last news, then names and contents in turns.
local clock = redis.call('TIME')
local answer = {
  string.format('%.0f', clock[1] * 1000000 + clock[2]),
  redis.call('GET', KEYS[2]) or '0'
}
for _, text in ipairs(redis.call('HGETALL', KEYS[1])) do
  answer[#answer + 1] = text
end
return answer
