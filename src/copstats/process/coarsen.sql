-- The categories of a variable, and which of them are merged because they are rare.
WITH answered AS (
  SELECT ${column} AS category, CASE WHEN ${usable} THEN ${weight} ELSE 0 END AS weight_of_record
  FROM ${record}
  WHERE ${answered}
),
categories AS (
  SELECT category, count(*) AS records, fsum(weight_of_record) AS persons
  FROM answered
  GROUP BY category
),
limits AS (
  SELECT
    greatest(${records}, ${share} * sum(records)) AS least_records,
    sum(persons) >= ${expanded} * sum(records) AS expanded_weights,
    CASE WHEN expanded_weights THEN ${population} ELSE 0 END AS least_persons
  FROM categories
),
judged AS (
  SELECT *, category = $into OR records < least_records OR persons < least_persons AS rare
  FROM categories, limits
),
gathered AS (  -- how large the merged category would be without this one
  SELECT
    *,
    bool_or(rare AND category <> $into) OVER () AS any_rare,
    coalesce(sum(records) OVER gathering, 0) AS gathered_records,
    coalesce(sum(persons) OVER gathering, 0) AS gathered_persons
  FROM judged
  WINDOW gathering AS (
    ORDER BY rare DESC, records, persons, category
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
)
SELECT
  category,
  any_rare AND (rare OR gathered_records < ${records} OR gathered_persons < least_persons) AS merged,
  expanded_weights
FROM gathered
