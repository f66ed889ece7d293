-- Whether a minute before {until} was rolled up after {since_us}: the first that is found, without looking on.
SELECT toUnixTimestamp(rolled.minute) AS minute FROM rolled PREWHERE rolled.minute < {until:UInt32} AND revision > {since_us:UInt64} LIMIT 1
