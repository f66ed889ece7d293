-- What the engine writes about itself, with its TTL in days; 0: it grows without bound.
SELECT
    name AS table,
    toUInt64(ifNull(total_bytes, 0)) AS bytes,
    if(position(engine_full, ' TTL ') = 0, 0, greatest(1, toUInt32OrZero(extract(engine_full, 'toIntervalDay\\((\\d+)\\)')))) AS ttl_days
FROM system.tables
WHERE database = 'system' AND engine LIKE '%MergeTree' AND match(name, '_log(_\\d+)?$')
ORDER BY table
