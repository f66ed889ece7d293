-- When a function was first stored, in unix seconds; 0 where never.
SELECT toUnixTimestamp(min(seen_at)) AS first FROM functions WHERE function_id = {function_id:UInt64}
