-- Columns of every table, and whether they are part of its sorting or partition key.
SELECT table, name, type, toUInt8(is_in_sorting_key OR is_in_partition_key) AS key
FROM system.columns
WHERE database = currentDatabase()
