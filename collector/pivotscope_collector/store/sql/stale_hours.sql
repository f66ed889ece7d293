-- Hours with a minute that was rolled up after the level of hours, or of days, was, and that this level closed by then.
SELECT
    toUnixTimestamp(toStartOfHour(minute)) AS hour,
    max(revision > {hour_covered:UInt64} AND minute < {hour_open:UInt32}) AS hour_behind,
    max(revision > {day_covered:UInt64} AND minute < {day_open:UInt32}) AS day_behind
FROM rolled
WHERE rolled.minute >= {since:UInt32} AND rolled.minute < {until:UInt32}
    AND revision > least({hour_covered:UInt64}, {day_covered:UInt64})
GROUP BY hour
