-- What is asked of agents at the moment {now_ms}, in order of kind and audience. Facts are asked for at a moment:
-- agents that connect after {facts_ms} more have sent them anyway.
SELECT
    kind, agent, service, codebase, amount, modes,
    toUnixTimestamp64Milli(until) AS until_ms,
    asked_by, note,
    toUnixTimestamp64Micro(asked_at) AS asked_us
FROM controls FINAL
WHERE active = 1 AND (toUnixTimestamp64Milli(until) = 0 OR toUnixTimestamp64Milli(until) > {now_ms:Int64})
    AND (kind != 'facts' OR toUnixTimestamp64Milli(asked_at) > {now_ms:Int64} - {facts_ms:Int64})
ORDER BY kind, agent, service, codebase
