-- Agents at their newest epoch, with what their windows of late were.
SELECT
    known.agent AS agent, host, agent_version, abilities, targets, clock_offset_ns,
    toUnixTimestamp64Milli(first_seen_at) AS first_seen_ms,
    toUnixTimestamp64Milli(greatest(seen_at, recent.last_at)) AS last_seen_ms,
    recent.services AS services,
    recent.outcomes AS outcomes,
    recent.counts AS counts
FROM
(
    SELECT
        agent, argMax(host, seen_at) AS host, argMax(agent_version, seen_at) AS agent_version,
        argMax(abilities, seen_at) AS abilities, argMax(targets, seen_at) AS targets,
        argMax(clock_offset_ns, seen_at) AS clock_offset_ns, min(agents.first_seen_at) AS first_seen_at,
        max(agents.seen_at) AS seen_at
    FROM agents FINAL
    GROUP BY agent
) AS known
LEFT JOIN
(
    SELECT
        agent, groupUniqArrayArray(found_services) AS services, max(found_last) AS last_at,
        groupArray(outcome) AS outcomes, groupArray(found) AS counts
    FROM
    (
        SELECT
            toString(agent) AS agent, toString(outcome) AS outcome, groupUniqArray(toString(service)) AS found_services,
            toDateTime64(max(received_at), 3, 'UTC') AS found_last, count() AS found
        FROM windows
        WHERE received_at >= fromUnixTimestamp64Nano({active_since_ns:Int64}, 'UTC')
        GROUP BY agent, outcome
    )
    GROUP BY agent
) AS recent ON recent.agent = known.agent
ORDER BY agent
