-- Rows of ${kind} over all levels and raw; each moment comes from exactly one of them.
SELECT ${columns}
FROM ${kind}_day FINAL
WHERE bucket IN {days:Array(UInt32)} AND ${pool}
UNION ALL
SELECT ${columns}
FROM ${kind}_hour FINAL
WHERE bucket IN {hours:Array(UInt32)} AND ${pool}
UNION ALL
SELECT ${columns}
FROM ${kind}_minute FINAL
WHERE bucket >= {since:UInt32} AND bucket < {until:UInt32} AND bucket NOT IN {dirty:Array(UInt32)}
    AND toStartOfHour(bucket) NOT IN {hours:Array(UInt32)} AND toStartOfDay(bucket) NOT IN {days:Array(UInt32)}
    AND ${pool}
UNION ALL
${raw}
