-- Agents at their newest epoch, with what their windows of late were.
SELECT
    known.agent AS agent,
    known.latest.1 AS host,
    known.latest.2 AS agent_version,
    known.latest.3 AS abilities,
    known.latest.4 AS targets,
    known.latest.5 AS clock_offset_ns,
    toUnixTimestamp64Milli(known.connected_first) AS first_seen_ms,
    toUnixTimestamp64Milli(greatest(known.connected_last, recent.window_last)) AS last_seen_ms,
    recent.services AS services,
    recent.outcomes AS outcomes,
    recent.counts AS counts
FROM
(
    SELECT
        agent,
        argMax((host, agent_version, abilities, targets, clock_offset_ns), seen_at) AS latest,
        min(first_seen_at) AS connected_first,
        max(seen_at) AS connected_last
    FROM agents FINAL
    GROUP BY agent
) AS known
LEFT JOIN
(
    SELECT
        agent,
        groupUniqArrayArray(outcome_services) AS services,
        max(outcome_last) AS window_last,
        groupArray(outcome) AS outcomes,
        groupArray(outcome_count) AS counts
    FROM
    (
        SELECT
            toString(windows.agent) AS agent,
            toString(windows.outcome) AS outcome,
            groupUniqArray(toString(windows.service)) AS outcome_services,
            toDateTime64(max(received_at), 3, 'UTC') AS outcome_last,
            count() AS outcome_count
        FROM windows
        WHERE received_at >= fromUnixTimestamp64Nano({active_since_ns:Int64}, 'UTC')
        GROUP BY agent, outcome
    )
    GROUP BY agent
) AS recent ON recent.agent = known.agent
ORDER BY agent
