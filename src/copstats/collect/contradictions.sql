-- What is wrong with how counts hang together: code of the error, kind of relation, number of places, first row.
-- `sums`: counts that add up, with `cell` and `row`; `relation`: see copstats.store.counts.relations.
WITH
orphans AS (
    SELECT p.row
    FROM sums AS p
    WHERE (p.sex <> '_T' AND NOT EXISTS (
            FROM sums AS w
            WHERE (w.ref_area, w.variable, w.time_period, w.age, w.code)
                = (p.ref_area, p.variable, p.time_period, p.age, p.code) AND w.sex = '_T'))
        OR (p.age <> '_T' AND NOT EXISTS (
            FROM sums AS w
            WHERE (w.ref_area, w.variable, w.time_period, w.sex, w.code)
                = (p.ref_area, p.variable, p.time_period, p.sex, p.code) AND w.age = '_T'))
        OR (p.code <> '_T' AND NOT EXISTS (
            FROM sums AS w
            WHERE (w.ref_area, w.variable, w.time_period, w.sex, w.age)
                = (p.ref_area, p.variable, p.time_period, p.sex, p.age) AND w.code = '_T'))
),
added AS (
    SELECT r.kind, r.complete, w.row, w.value, sum(p.value) AS parts
    FROM (SELECT kind, whole, complete, unnest(parts) AS part FROM relation) AS r
    JOIN sums AS w ON w.cell = r.whole
    JOIN sums AS p ON p.cell = r.part
    GROUP BY r.kind, r.complete, r.whole, w.row, w.value
),
wrong AS (
    SELECT 'S365' AS code, NULL AS kind, row FROM orphans
    UNION ALL
    SELECT 'S366', kind, row FROM added WHERE kind <> 'variable' AND (parts > value OR (complete AND parts < value))
    UNION ALL
    SELECT 'S367', NULL, row FROM added WHERE kind = 'variable' AND parts > value
)
SELECT code, kind, count(*), min(row)
FROM wrong
GROUP BY code, kind
ORDER BY code, kind
