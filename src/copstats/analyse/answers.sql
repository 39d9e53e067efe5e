-- One row a record: its place in the design, its weight, its levels and, for every measure, the answer (y, NULL
-- where there is no valid one) and whether the record is not known to be outside the denominator (e).
WITH wave AS (
  ${wave}
),
skips AS (  -- NAME__no: a valid negative answer caused the skip
  SELECT *${skips}
  FROM wave
)
SELECT
  ${wave_no} AS wave_no,
  stratum,
  psu,
  weight::DOUBLE AS w,
  ${answers}
FROM skips
