-- For wrk: each request goes to another Hong Kong mobile, from FIRST on. TEMPLATE has {to} where the number stands and
-- {customer} where the number of one of CUSTOMERS logins stands.
local template, first = os.getenv("TEMPLATE"), tonumber(os.getenv("FIRST"))
local customers = tonumber(os.getenv("CUSTOMERS") or "1")
local before, after = template:match("^(.-){to}(.*)$")
local count = 0

function request()
  count = count + 1
  local to = string.format("%d", first + count)
  local path = (before .. to .. after):gsub("{customer}", tostring(count % customers))
  return wrk.format("GET", path)
end
