-- How far each level has been rolled up: what was received by then, in minutes before `open_from`, is in its rows.
SELECT level, toUnixTimestamp64Micro(max(received_until)) AS received_us, toUnixTimestamp(max(progress.open_from)) AS open_from
FROM progress
GROUP BY level
