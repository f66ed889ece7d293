-- Rows, bytes on disk and parts of every table, its TTL in days, and how many days its rows span (0: not by time).
SELECT
    t.name AS table,
    toUInt64(ifNull(t.total_rows, 0)) AS rows,
    toUInt64(ifNull(t.total_bytes, 0)) AS bytes,
    toUInt32OrZero(extract(t.engine_full, 'toIntervalDay\\((\\d+)\\)')) AS ttl_days,
    toUInt32(p.parts) AS parts,
    toUInt32(p.most) AS most_parts,
    p.span_days AS span_days
FROM system.tables AS t
LEFT JOIN
(
    SELECT
        table, sum(part_count) AS parts, max(part_count) AS most,
        if(max(last) = toDateTime(0), 0., greatest(1., dateDiff('second', min(first), max(last)) / 86400)) AS span_days
    FROM
    (
        SELECT table, partition_id, count() AS part_count, min(min_time) AS first, max(max_time) AS last
        FROM system.parts
        WHERE database = currentDatabase() AND active
        GROUP BY table, partition_id
    )
    GROUP BY table
) AS p ON p.table = t.name
WHERE t.database = currentDatabase() AND t.engine LIKE '%MergeTree'
ORDER BY bytes DESC, table
