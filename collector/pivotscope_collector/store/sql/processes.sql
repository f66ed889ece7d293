-- Most processes of a service in any bucket: pools run beside each other and add up, modes of a pool are of the same
-- processes.
SELECT step, service, language, max(together) AS most
FROM
(
    SELECT step, at, service, language, sum(of_pool) AS together
    FROM
    (
        SELECT ${bucket} AS step, bucket AS at, service, language, max(processes) AS of_pool
        FROM ${pool_rows}
        GROUP BY step, at, service, environment, version, variant, language
    )
    GROUP BY step, at, service, language
)
GROUP BY step, service, language
ORDER BY step
