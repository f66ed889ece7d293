-- Rows and bytes on disk of every table, with its TTL in days.
SELECT
    t.name AS table,
    toUInt64(ifNull(t.total_rows, 0)) AS rows,
    toUInt64(ifNull(t.total_bytes, 0)) AS bytes,
    toUInt32OrZero(extract(t.engine_full, 'toIntervalDay\\((\\d+)\\)')) AS ttl_days
FROM system.tables AS t
WHERE t.database = currentDatabase() AND t.engine LIKE '%MergeTree'
ORDER BY bytes DESC, table
