-- Which counts are parts of which. `counts`: schema COUNTS with `cell`; `whole_of`: variable, whole.
-- Facts (yes or no) add up to nothing; they are told by a breakdown without a total.
WITH
-- A dimension at its total, and the same cell by the groups of that dimension.
by_dimension AS (
    SELECT 'sex' AS kind, w.cell AS whole, p.cell AS part
    FROM counts AS w JOIN counts AS p
        USING (ref_area, variable, time_period, age, breakdown, code)
    WHERE w.sex = '_T' AND p.sex <> '_T'
    UNION ALL
    SELECT 'age', w.cell, p.cell
    FROM counts AS w JOIN counts AS p
        USING (ref_area, variable, time_period, sex, breakdown, code)
    WHERE w.age = '_T' AND p.age <> '_T'
    UNION ALL
    SELECT 'category', w.cell, p.cell
    FROM counts AS w JOIN counts AS p
        USING (ref_area, variable, time_period, sex, age)
    WHERE w.code = '_T' AND p.code <> '_T'
),
-- Quarters of a calendar year.
by_quarter AS (
    SELECT 'quarter' AS kind, w.cell AS whole, p.cell AS part
    FROM counts AS w JOIN counts AS p
        USING (ref_area, variable, sex, age, breakdown, code)
    WHERE p.time_period LIKE '____-Q_' AND w.time_period = left(p.time_period, 4)
),
-- Areas of the world; the world also holds counts of no country.
by_area AS (
    SELECT 'area' AS kind, w.cell AS whole, p.cell AS part
    FROM counts AS w JOIN counts AS p
        USING (variable, time_period, sex, age, breakdown, code)
    WHERE w.ref_area = '001' AND p.ref_area <> '001'
),
-- Variables that count some of what another one counts.
by_variable AS (
    SELECT 'variable' AS kind, w.cell AS whole, p.cell AS part
    FROM counts AS p
    JOIN whole_of AS o USING (variable)
    JOIN counts AS w
        ON w.variable = o.whole AND w.code = '_T'
        AND (w.ref_area, w.time_period, w.sex, w.age) = (p.ref_area, p.time_period, p.sex, p.age)
    WHERE p.code = '_T'
),
pairs AS (
    FROM by_dimension UNION ALL FROM by_quarter UNION ALL FROM by_area UNION ALL FROM by_variable
)
SELECT
    kind,
    whole,
    list(part ORDER BY part) AS parts,
    kind IN ('sex', 'age', 'category') OR (kind = 'quarter' AND count(*) = 4) AS complete
FROM pairs
GROUP BY kind, whole
ORDER BY whole, kind
