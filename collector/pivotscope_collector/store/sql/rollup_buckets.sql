-- Closed buckets of {size} seconds, before {open}, with a minute that was rolled up since the level was, by {horizon}.
WITH
    (SELECT max(received_until) FROM progress WHERE level = {level:String}) AS covered_until,
    (SELECT max(open_from) FROM progress WHERE level = {level:String}) AS open_from
SELECT DISTINCT toUInt32(intDiv(toUnixTimestamp(minute), {size:UInt32}) * {size:UInt32}) AS start
FROM rolled
WHERE (revision > toUnixTimestamp64Micro(covered_until) OR minute >= open_from) AND revision <= {horizon:UInt64}
    AND minute >= {oldest:UInt32} AND minute < {open:UInt32}
ORDER BY start
