-- Sends requests with the method and headers given after "--", each as if from a different address.

local number = 0

function init(arguments)
  wrk.method = arguments[1]
  for at = 2, #arguments do
    local name, value = arguments[at]:match("^([^:]+): (.*)$")
    wrk.headers[name] = value
  end
end

function request()
  number = number + 1
  wrk.headers["X-Forwarded-For"] = string.format("10.%d.%d.1", math.floor(number / 250) % 250, number % 250)
  return wrk.format()
end
