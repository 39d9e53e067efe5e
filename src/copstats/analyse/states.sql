-- One row a record: what it is told apart by (key, content), the number of its domain in each disaggregation, and
-- the answers (y, NULL where there is no valid one).
WITH wave AS (
  ${wave}
),
skips AS (  -- NAME__no: a valid negative answer caused the skip
  SELECT *${skips}
  FROM wave
),
answered AS (
  SELECT
    ${key} AS record_key,
    hash(${content}) AS record_content,
    ${answers}
  FROM skips
)
SELECT
  row_number() OVER () - 1 AS position,
  record_key,
  record_content,
  ${numbers}
FROM answered
