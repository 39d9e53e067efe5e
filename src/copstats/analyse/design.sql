-- The sample as drawn: one row a PSU. A PSU is known by its stratum and its own code together.
CREATE OR REPLACE TEMP TABLE psu_design AS
WITH records AS (
  ${records}
),
psus AS (
  SELECT wave_no, stratum, psu, max(in_frame) AS in_frame
  FROM records
  GROUP BY wave_no, stratum, psu
)
SELECT
  row_number() OVER (ORDER BY wave_no, stratum, psu)::INTEGER AS unit,
  wave_no,
  stratum,
  psu,
  dense_rank() OVER (ORDER BY wave_no, stratum)::INTEGER AS stratum_no,
  count(*) OVER one_stratum::DOUBLE AS psus,
  coalesce(count(*) OVER one_stratum / max(in_frame) OVER one_stratum, 0) AS taken,
  coalesce(min(in_frame) OVER one_stratum < max(in_frame) OVER one_stratum, FALSE) AS differs
FROM psus
WINDOW one_stratum AS (PARTITION BY wave_no, stratum)
