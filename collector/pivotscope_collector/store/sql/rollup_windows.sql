-- Samples of some services in some minutes, a row a window.
SELECT
    cityHash64(minute, service, environment, version, variant, language, mode) AS pool_key,
    period_ns, stack_ids, counts, natives
FROM windows FINAL
WHERE minute IN {minutes:Array(UInt32)} AND service IN {services:Array(String)} AND samples > 0
