-- Every table with data in parts, and the name of its folder.
SELECT name, toString(uuid) AS uuid
FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
ORDER BY name
