-- Who holds a lock, and since how many seconds; no row where nobody does.
SELECT comment AS holder, dateDiff('second', metadata_modification_time, now()) AS age
FROM system.tables
WHERE database = currentDatabase() AND name = {table:String}
