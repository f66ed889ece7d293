-- Tables whose inserts are not yet synced to disk as the settings ask ({on}: 0 or 1).
SELECT name
FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
    AND (engine_full LIKE '%fsync_after_insert = 1%') != {on:UInt8}
ORDER BY name
