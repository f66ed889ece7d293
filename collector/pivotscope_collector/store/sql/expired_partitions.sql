-- Partitions of a table whose day is before {oldest}, as YYYYMMDD.
SELECT DISTINCT partition_id
FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active
    AND toUInt32OrZero(partition_id) BETWEEN 1 AND {oldest:UInt32} - 1
ORDER BY partition_id
