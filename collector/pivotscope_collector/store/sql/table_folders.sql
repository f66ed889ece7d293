-- Where the parts of each table are.
SELECT name, data_paths[1] AS folder
FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
ORDER BY name
