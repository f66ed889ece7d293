-- Minutes of a range with windows beyond what the roll-up of minutes says that it covers, and when the last one came.
SELECT toUnixTimestamp(windows.minute) AS minute, toUnixTimestamp64Micro(max(received_at)) AS received_us
FROM windows
WHERE (received_at > fromUnixTimestamp64Micro({covered_us:Int64}, 'UTC') OR windows.minute >= {open_from:UInt32})
    AND windows.minute >= {since:UInt32} AND windows.minute < {until:UInt32}
    AND ({service:String} = '' OR windows.service = {service:String})
GROUP BY windows.minute
ORDER BY minute
