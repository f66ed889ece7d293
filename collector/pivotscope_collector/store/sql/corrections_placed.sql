-- When these batches first came.
SELECT batch_id, min(toUnixTimestamp64Micro(placed_at)) AS placed_us
FROM corrections
WHERE batch_id IN {ids:Array(UInt64)}
GROUP BY batch_id
