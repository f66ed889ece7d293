-- Selected processes of every agent by state, as it last said.
SELECT agent, states, toUnixTimestamp64Milli(received_at) AS received_ms
FROM agent_status FINAL
ORDER BY agent
