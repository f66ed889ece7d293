-- Columns of a table and their types.
SELECT name, type
FROM system.columns
WHERE database = currentDatabase() AND table = {table:String}
