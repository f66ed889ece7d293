-- When an agent was first heard of, in milliseconds; 0 if never.
SELECT toUnixTimestamp64Milli(min(first_seen_at)) AS first_seen
FROM agents
WHERE agent = {agent:String}
