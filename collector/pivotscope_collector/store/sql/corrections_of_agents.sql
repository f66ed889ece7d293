-- How many windows of each agent were booked at their reception, because their own times were not believed.
SELECT agent, toUInt64(sum(late)) AS late, toUInt64(sum(future)) AS future
FROM corrections FINAL
WHERE placed_at >= fromUnixTimestamp64Micro({since_us:Int64}, 'UTC') AND (corrections.late > 0 OR corrections.future > 0)
GROUP BY agent
ORDER BY late + future DESC, agent
LIMIT 20
