-- How many different names every service brought in: of the range's roll-ups and of series that are still sent.
SELECT
    p.service AS service,
    toUInt64(f.functions) AS functions,
    toUInt64(p.instances) AS instances,
    toUInt64(p.versions) AS versions,
    toUInt64(s.series) AS series
FROM
(
    SELECT toString(windows.service) AS service, uniq(windows.instance) AS instances, uniq(windows.version) AS versions
    FROM windows
    WHERE windows.minute >= {since:UInt32}
    GROUP BY service
) AS p
LEFT JOIN
(
    SELECT toString(functions_minute.service) AS service, uniq(function_id) AS functions
    FROM functions_minute
    WHERE bucket >= {since:UInt32}
    GROUP BY service
) AS f ON f.service = p.service
LEFT JOIN
(
    SELECT toString(series.service) AS service, uniq(series_id) AS series
    FROM series
    WHERE seen_at >= {since:UInt32}
    GROUP BY service
) AS s ON s.service = p.service
ORDER BY functions DESC, service
