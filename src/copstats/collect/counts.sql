-- From checked rows to counts: years are added up from their quarters, the world from its areas.
WITH
reported AS (
    SELECT
        ref_area, variable, period AS time_period, sex, age,
        CASE WHEN code = '_T' THEN '_T' ELSE category END AS breakdown,
        code,
        -- One row, but for areas whose rows are to be added.
        sum(number)::BIGINT AS value,
        NOT (is_fact OR is_population OR public) AS protected,
        bool_or(status = 'provisional') AS provisional,
        string_agg(DISTINCT deviation, '; ' ORDER BY deviation) AS deviation,
        any_value(CASE WHEN NOT agreed THEN services END) AS services,
        any_value(CASE WHEN NOT agreed THEN largest END) AS largest,
        any_value(CASE WHEN NOT agreed THEN second END) AS second,
        NOT (is_fact OR is_population) AS adds_up,
        is_country, has_many, min(row) AS row, submission AS submission_id
    FROM told
    CROSS JOIN (SELECT submission, public, agreed FROM setting)
    CROSS JOIN (SELECT count(DISTINCT ref_area) > 1 AS has_many FROM told)
    GROUP BY ALL
),
-- A year is added up only where all that was reported of the variable was reported for four quarters.
whole_year AS (
    SELECT ref_area, variable, left(time_period, 4) AS year
    FROM reported
    WHERE adds_up
    GROUP BY ALL
    HAVING count_if(NOT contains(time_period, '-Q')) = 0
        AND count(DISTINCT time_period) = 4
        AND count(*) = 4 * count(DISTINCT (sex, age, code))
),
-- The largest services of the quarters are taken to be the same ones.
years AS (
    SELECT
        ref_area, variable, year AS time_period, sex, age, breakdown, code,
        sum(value)::BIGINT AS value,
        any_value(protected) AS protected,
        bool_or(provisional) AS provisional,
        string_agg(DISTINCT deviation, '; ' ORDER BY deviation) AS deviation,
        max(services) AS services,
        sum(largest)::BIGINT AS largest,
        sum(second)::BIGINT AS second,
        TRUE AS adds_up,
        any_value(is_country) AS is_country, any_value(has_many) AS has_many,
        min(row) AS row, any_value(submission_id) AS submission_id
    FROM reported
    JOIN whole_year USING (ref_area, variable)
    WHERE left(time_period, 4) = year
    GROUP BY ALL
),
complete AS (FROM reported UNION ALL BY NAME FROM years),
world AS (
    SELECT
        '001' AS ref_area, variable, time_period, sex, age, breakdown, code,
        sum(value)::BIGINT AS value,
        any_value(protected) AS protected,
        bool_or(provisional) AS provisional,
        any_value(adds_up) AS adds_up,
        min(row) AS row, any_value(submission_id) AS submission_id
    FROM complete
    WHERE has_many AND adds_up
    GROUP BY ALL
),
kept AS (
    FROM (SELECT * EXCLUDE (is_country, has_many) FROM complete WHERE is_country)
    UNION ALL BY NAME
    FROM world
)
FROM kept
ORDER BY ref_area, variable, time_period, sex, age, breakdown, code
