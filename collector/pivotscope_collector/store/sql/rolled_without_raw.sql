-- The newest minute since {since} that is rolled up and older than all raw rows; 0 where there is none. Raw rows leave by
-- whole days, the oldest first, and the engine knows the first minute of each without reading it.
WITH (SELECT if(count() = 0, toDateTime(4294967295, 'UTC'), min(minute)) FROM windows) AS first_raw
SELECT toUnixTimestamp(max(bucket)) AS minute
FROM pools_minute
WHERE bucket >= {since:UInt32} AND bucket < first_raw
