-- The newest minute since {since} that is rolled up and whose raw rows are gone; 0 where there is none.
SELECT toUnixTimestamp(max(bucket)) AS minute
FROM pools_minute
WHERE bucket >= {since:UInt32}
    AND bucket NOT IN (SELECT windows.minute FROM windows WHERE windows.minute >= {since:UInt32})
