-- Rows in the shape of functions_minute from raw samples; ${minutes} names the minutes.
-- A function counts once a stack, however often it recurs in it. y = samples × period, x = all samples of the window × period.
SELECT
    minute AS bucket, service, environment, version, variant, language, mode, function_id,
    sum(window_self) AS self,
    sum(window_total) AS total,
    sum(window_self_native) AS self_native,
    sum(window_total_native) AS total_native,
    sum(window_self * period) AS self_y,
    sum(pow(toFloat64(window_self) * period, 2)) AS self_yy,
    sum(toFloat64(window_self) * period * window_samples * period) AS self_xy,
    sum(window_total * period) AS total_y,
    sum(pow(toFloat64(window_total) * period, 2)) AS total_yy,
    sum(toFloat64(window_total) * period * window_samples * period) AS total_xy,
    toUInt32(count()) AS windows
FROM
(
    SELECT
        minute, service, environment, version, variant, language, mode, window_id, function_id,
        any(window_period) AS period,
        any(window_samples) AS window_samples,
        sumIf(stack_count, function_id = leaf) AS window_self,
        sum(stack_count) AS window_total,
        sumIf(stack_native, function_id = leaf) AS window_self_native,
        sum(stack_native) AS window_total_native
    FROM
    (
        SELECT
            minute, service, environment, version, variant, language, mode, window_id, window_period, window_samples,
            stack_count, stack_native, stack_functions[-1] AS leaf, arrayJoin(arrayDistinct(stack_functions)) AS function_id
        FROM
        (
            SELECT
                minute, service, environment, version, variant, language, mode, window_id,
                any(period_ns) AS window_period,
                sum(count) AS window_samples,
                groupArray((stack_id, count, native)) AS stacks_seen
            FROM samples FINAL
            WHERE ${minutes} AND ${pool}
                -- A batch cut short before its windows were stored is sent again: until then it does not count.
                AND window_id IN (SELECT window_id FROM windows WHERE ${minutes} AND ${pool} AND samples > 0)
            GROUP BY minute, service, environment, version, variant, language, mode, window_id
        )
        ARRAY JOIN
            stacks_seen.1 AS seen_stack_id, stacks_seen.2 AS stack_count, stacks_seen.3 AS stack_native
        INNER JOIN
        (
            SELECT stack_id, any(functions) AS stack_functions
            FROM stacks
            WHERE stack_id IN (SELECT stack_id FROM samples WHERE ${minutes} AND ${pool})
            GROUP BY stack_id
        ) AS known ON known.stack_id = seen_stack_id
    )
    GROUP BY minute, service, environment, version, variant, language, mode, window_id, function_id
)
GROUP BY minute, service, environment, version, variant, language, mode, function_id
