-- When a function was first sampled, in unix seconds; 0 where never. The finest level that reaches back as far as the day.
WITH
    (SELECT min(bucket) FROM functions_day WHERE function_id = {function_id:UInt64}) AS day,
    (SELECT min(bucket) FROM functions_hour WHERE function_id = {function_id:UInt64}) AS hour,
    least(
        (SELECT ifNull(min(nullIf(bucket, toDateTime(0, 'UTC'))), toDateTime(4294967295, 'UTC'))
         FROM functions_minute WHERE function_id = {function_id:UInt64}),
        -- Before its first minute is rolled up: when it was first stored.
        (SELECT ifNull(min(nullIf(seen_at, toDateTime(0, 'UTC'))), toDateTime(4294967295, 'UTC'))
         FROM functions WHERE function_id = {function_id:UInt64})
    ) AS fine
SELECT toUnixTimestamp(multiIf(
    toUnixTimestamp(day) = 0 AND toUnixTimestamp(fine) = 4294967295, toDateTime(0, 'UTC'),
    toUnixTimestamp(day) = 0 OR toStartOfDay(fine) <= day, fine,
    toStartOfDay(hour) <= day, hour,
    day)) AS first_seen
