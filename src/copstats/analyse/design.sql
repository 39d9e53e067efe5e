-- The sample as drawn: one row a PSU. A PSU is known by its stratum and its own code together.
CREATE OR REPLACE TEMP TABLE psu_design AS
WITH records AS (
  ${records}
),
psus AS (
  SELECT stratum, psu, max(in_frame) AS in_frame
  FROM records
  GROUP BY stratum, psu
)
SELECT
  row_number() OVER (ORDER BY stratum, psu)::INTEGER AS unit,
  stratum,
  psu,
  dense_rank() OVER (ORDER BY stratum)::INTEGER AS stratum_no,
  count(*) OVER (PARTITION BY stratum)::DOUBLE AS psus,
  coalesce(count(*) OVER (PARTITION BY stratum) / max(in_frame) OVER (PARTITION BY stratum), 0) AS taken,
  coalesce(min(in_frame) OVER (PARTITION BY stratum) < max(in_frame) OVER (PARTITION BY stratum), FALSE) AS differs
FROM psus
