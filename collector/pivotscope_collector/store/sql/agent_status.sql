-- The newest status of an agent.
SELECT toUnixTimestamp64Milli(received_at) AS received_ms, status
FROM agent_status FINAL
WHERE agent = {agent:String}
