-- The journal of migrations where it holds rows in this database; on a cluster it is Distributed here.
SELECT name
FROM system.tables
WHERE database = currentDatabase() AND name = 'migrations' AND engine LIKE '%MergeTree'
