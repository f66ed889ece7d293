-- Rows in the shape of functions_minute from raw samples; ${minutes} names the minutes.
-- A function counts once a stack, however often it recurs in it. y = samples × period, x = all samples of the window × period.
-- The many rows in the middle are grouped by numbers; the names of minute and pool are joined at the end.
SELECT
    p.minute AS bucket, p.service AS service, p.environment AS environment, p.version AS version, p.variant AS variant,
    p.language AS language, p.mode AS mode, f.function_id AS function_id,
    f.self AS self, f.total AS total, f.self_native AS self_native, f.total_native AS total_native,
    f.self_y AS self_y, f.self_yy AS self_yy, f.self_xy AS self_xy,
    f.total_y AS total_y, f.total_yy AS total_yy, f.total_xy AS total_xy, f.windows AS windows
FROM
(
    SELECT
        pool_key, function_id,
        sum(window_self) AS self,
        sum(window_total) AS total,
        sum(window_self_native) AS self_native,
        sum(window_total_native) AS total_native,
        toFloat64(sum(window_self * period)) AS self_y,
        sum(pow(toFloat64(window_self) * period, 2)) AS self_yy,
        sum(toFloat64(window_self) * period * window_samples * period) AS self_xy,
        toFloat64(sum(window_total * period)) AS total_y,
        sum(pow(toFloat64(window_total) * period, 2)) AS total_yy,
        sum(toFloat64(window_total) * period * window_samples * period) AS total_xy,
        toUInt32(count()) AS windows
    FROM
    (
        SELECT
            pool_key, window_id, function_id,
            any(window_period) AS period,
            any(samples_in_window) AS window_samples,
            sumIf(stack_count, function_id = leaf) AS window_self,
            sum(stack_count) AS window_total,
            sumIf(stack_native, function_id = leaf) AS window_self_native,
            sum(stack_native) AS window_total_native
        FROM
        (
            SELECT
                pool_key, window_id, window_period, samples_in_window, stack_count, stack_native,
                known.leaf AS leaf, arrayJoin(known.members) AS function_id
            FROM
            (
                SELECT
                    window_id,
                    cityHash64(minute, service, environment, version, variant, language, mode) AS pool_key,
                    period_ns AS window_period,
                    samples AS samples_in_window,
                    stack_ids, counts, natives
                FROM windows FINAL
                WHERE ${minutes} AND ${pool} AND samples > 0
            )
            ARRAY JOIN stack_ids AS seen_stack_id, counts AS stack_count, natives AS stack_native
            INNER JOIN
            (
                SELECT stack_id, any(functions)[-1] AS leaf, arrayDistinct(any(functions)) AS members
                FROM stacks
                WHERE stack_id IN (SELECT arrayJoin(stack_ids) FROM windows WHERE ${minutes} AND ${pool})
                GROUP BY stack_id
            ) AS known ON known.stack_id = seen_stack_id
        )
        GROUP BY pool_key, window_id, function_id
    )
    GROUP BY pool_key, function_id
) AS f
INNER JOIN
(
    SELECT DISTINCT
        cityHash64(minute, service, environment, version, variant, language, mode) AS pool_key,
        minute, service, environment, version, variant, language, mode
    FROM windows
    WHERE ${minutes} AND ${pool} AND samples > 0
) AS p ON p.pool_key = f.pool_key
