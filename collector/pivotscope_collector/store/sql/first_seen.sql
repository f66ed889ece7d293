-- When a function was first sampled, in unix seconds; 0 where never.
SELECT toUnixTimestamp(min(bucket)) AS first_seen
FROM
(
    SELECT bucket FROM functions_day FINAL WHERE function_id = {function_id:UInt64}
    UNION ALL
    SELECT bucket FROM functions_minute FINAL WHERE function_id = {function_id:UInt64}
    UNION ALL
    SELECT minute AS bucket FROM lines WHERE function_id = {function_id:UInt64}
)
