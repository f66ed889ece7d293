-- How many minutes of [{since}, {until}) hold windows that no roll-up has seen.
SELECT count() AS minutes
FROM
(
    SELECT windows.minute AS minute, max(received_at) AS received_until
    FROM windows
    WHERE windows.minute >= {since:UInt32} AND windows.minute < {until:UInt32}
    GROUP BY windows.minute
) AS seen
LEFT JOIN
(
    SELECT rolled.minute AS minute, max(rolled.received_until) AS rolled_until
    FROM rolled
    WHERE rolled.minute >= {since:UInt32} AND rolled.minute < {until:UInt32}
    GROUP BY rolled.minute
) AS done ON done.minute = seen.minute
WHERE seen.received_until > done.rolled_until
