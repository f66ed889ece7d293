-- The server's clock, in unix nanoseconds.
SELECT toUnixTimestamp64Nano(now64(9)) AS now_ns
