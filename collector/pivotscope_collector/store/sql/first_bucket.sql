-- The first bucket of a level from {since} to {until} that has a function, in unix seconds; 0 where none has.
SELECT toUnixTimestamp(min(bucket)) AS first
FROM functions_${level}
PREWHERE bucket >= {since:UInt32} AND bucket < {until:UInt32} AND function_id = {function_id:UInt64}
