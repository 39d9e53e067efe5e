-- One pass over the records: sums for every PSU and domain.
CREATE OR REPLACE TEMP TABLE psu_cells AS
WITH answers AS (
  ${records}
),
sums AS (
  SELECT
    coalesce(sum(w * y_{m}), 0) AS wy_{m},
    coalesce(sum(w * y_{m} * y_{m}), 0) AS wyy_{m},
    coalesce(sum(CASE WHEN y_{m} IS NOT NULL THEN w END), 0) AS w_{m},
    coalesce(sum(CASE WHEN e_{m} THEN w END), 0) AS we_{m},
    max(CASE WHEN y_{m} IS NOT NULL THEN w END) AS top_{m},
    count(y_{m}) AS n_{m},
    coalesce(count_if(y_{m} <> 0), 0) AS events_{m},
    count_if(e_{m}) AS eligible_{m},
    ${domain} AS domain,
    unit
  FROM answers JOIN psu_design USING (wave_no, stratum, psu)
  GROUP BY GROUPING SETS (${grouping_sets})
)
SELECT * FROM sums WHERE domain IS NOT NULL
