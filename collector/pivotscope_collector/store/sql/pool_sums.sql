-- Pools by step as numbers: `pool` is the key of a pool and mode, `counts` are those of store/totals.py, in its order.
SELECT
    ${bucket} AS step, service, environment, version, variant, language, mode,
    ${pool_key} AS pool,
    sumForEach([complete, samples, x, complete_cpu_ns, complete_delay_ns, attributed_ns, unattributed_ns, looked_ns]) AS counts,
    sum(xx) AS squares
FROM ${pool_rows}
GROUP BY step, service, environment, version, variant, language, mode
ORDER BY step, service, environment, version, variant, language, mode
