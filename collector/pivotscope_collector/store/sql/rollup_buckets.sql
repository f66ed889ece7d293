-- Buckets of {size} seconds with a minute that was rolled up since the level was, by {horizon}.
WITH (SELECT max(received_until) FROM progress WHERE level = {level:String}) AS covered_until
SELECT DISTINCT toUInt32(intDiv(toUnixTimestamp(minute), {size:UInt32}) * {size:UInt32}) AS start
FROM rolled
WHERE revision > toUnixTimestamp64Micro(covered_until) AND revision <= {horizon:UInt64} AND minute >= {oldest:UInt32}
ORDER BY start
