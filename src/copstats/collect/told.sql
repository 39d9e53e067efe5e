-- The rows of a file of counts with their defaults, and what the checks need to know of each.
-- `given`: the file in text; `variable_facts`: what the framework says; `area`; `setting`: one row.
CREATE TABLE told AS
WITH
filled AS (
    SELECT
        row,
        CASE WHEN has_area THEN coalesce(area, '') ELSE ref_area END AS ref_area,
        variable,
        period,
        coalesce(sex, '_T') AS sex,
        coalesce(age, '_T') AS age,
        coalesce(g.category, '_T') AS code,
        value,
        coalesce(status, 'final') AS status,
        deviation,
        services,
        largest,
        second,
        separator,
        reference_year,
        repeated,
        has_area AND NOT public AND coalesce(area, '') <> ref_area AS of_another
    FROM given AS g CROSS JOIN setting
),
numbered AS (
    SELECT
        * REPLACE (
            TRY_CAST(nullif(regexp_replace(services, separator, '', 'g'), '') AS BIGINT) AS services,
            TRY_CAST(nullif(regexp_replace(largest, separator, '', 'g'), '') AS BIGINT) AS largest,
            TRY_CAST(nullif(regexp_replace(second, separator, '', 'g'), '') AS BIGINT) AS second
        ),
        services IS NOT NULL AS has_services,
        largest IS NOT NULL AS has_largest,
        second IS NOT NULL AS has_second,
        CASE
            WHEN regexp_full_match(value, '[0-9]{1,15}') THEN value::BIGINT
            WHEN regexp_full_match(value, '[0-9]{1,3}(' || separator || '[0-9]{3}){1,4}')
                THEN regexp_replace(value, separator, '', 'g')::BIGINT
        END AS number
    FROM filled
)
SELECT
    n.*,
    f.* EXCLUDE (variable),
    a.code IS NOT NULL AS known_area,
    coalesce(a.country, FALSE) AS is_country,
    (n.code = '_T' OR f.category IS NOT NULL)
        AND (n.code IN ('_T', '_U') OR list_contains(f.codes, n.code)
            OR coalesce(regexp_full_match(n.code, f.pattern), FALSE)) AS known_code,
    CASE
        WHEN NOT has_services THEN NOT has_largest AND NOT has_second
        WHEN services = 1 THEN coalesce(largest = number, NOT has_largest) AND NOT has_second
        ELSE coalesce(
            services > 1 AND largest >= second AND second >= 0 AND largest + second <= number
            AND (services > 2 OR largest + second = number),
            FALSE
        )
    END AS fits,
    -- Several codes of no country, or none, may stand for different places.
    count(*) OVER (
        PARTITION BY n.ref_area, n.variable, n.period, n.sex, n.age, n.code,
            CASE WHEN coalesce(a.country, FALSE) AND NOT repeated THEN 0 ELSE n.row END
    ) AS copies
FROM numbered AS n
LEFT JOIN variable_facts AS f USING (variable)
LEFT JOIN area AS a ON a.code = n.ref_area
