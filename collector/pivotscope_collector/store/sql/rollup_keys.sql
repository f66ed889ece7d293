-- Pools and modes with samples, of some services in some minutes.
SELECT DISTINCT
    cityHash64(minute, service, environment, version, variant, language, mode) AS pool_key,
    toUnixTimestamp(minute) AS bucket, service, environment, version, variant, language, mode
FROM windows
WHERE minute IN {minutes:Array(UInt32)} AND service IN {services:Array(String)} AND samples > 0
