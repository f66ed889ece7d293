-- How far each level has been rolled up: what was received by then, in minutes before `open_from`, is in its rows. Both are
-- of one roll-up: of two, the one that reached further may have found fewer minutes closed.
SELECT level, toUnixTimestamp64Micro(covered.1) AS received_us, toUnixTimestamp(covered.2) AS open_from
FROM
(
    SELECT level, max((received_until, progress.open_from)) AS covered
    FROM progress
    GROUP BY level
)
