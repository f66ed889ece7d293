-- Closed minutes with windows that no roll-up has seen, and when the last of them was received.
WITH
    (SELECT max((received_until, open_from)) FROM progress WHERE level = 'minute') AS covered
SELECT toUnixTimestamp(seen.minute) AS minute, toUnixTimestamp64Micro(seen.received_until) AS received_us
FROM
(
    -- Each by an index of its own, which one condition on both has not.
    SELECT minute, max(received_at) AS received_until
    FROM
    (
        SELECT minute, received_at
        FROM windows
        WHERE received_at > covered.1 AND minute >= {oldest:UInt32} AND minute < {closed:UInt32}
        UNION ALL
        SELECT minute, received_at
        FROM windows
        WHERE minute >= covered.2 AND minute >= {oldest:UInt32} AND minute < {closed:UInt32}
    )
    GROUP BY minute
) AS seen
LEFT JOIN
(
    SELECT rolled.minute AS minute, max(rolled.received_until) AS rolled_until
    FROM rolled
    GROUP BY rolled.minute
) AS done ON done.minute = seen.minute
WHERE seen.received_until > done.rolled_until
ORDER BY minute
