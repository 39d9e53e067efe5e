-- Groups in which an indicator has no record, though others of the same kind of record have some: as estimates.
WITH described AS (
  SELECT estimates.*, record, family, disaggregations
  FROM estimates JOIN definition USING (indicator)
  WHERE state = 'estimated'
),
wholes AS (  -- each indicator of a wave once
  SELECT DISTINCT ON (submission_id, indicator) *
  FROM described
  ORDER BY submission_id, indicator, disaggregation <> 'total', ${dimensions}
),
groups AS (
  SELECT DISTINCT submission_id, record, disaggregation, ${dimensions} FROM described
),
ages AS (  -- ages that the survey covers are the same for all indicators of a family
  SELECT DISTINCT submission_id, family, disaggregation = 'common_age' AS common, age FROM described
)
SELECT
  submission_id, ref_area, survey, reference_year, indicator, tier, unit,
  groups.disaggregation, ${of_groups},
  'estimated' AS state,
  0 AS n, 0 AS events, 0 AS eligible, 0.0 AS weight, 0 AS psus, 0 AS strata,
  comparability, comparability_reasons
FROM wholes
JOIN groups USING (submission_id, record)
SEMI JOIN ages
  ON ages.submission_id = wholes.submission_id AND ages.family = wholes.family
  AND ages.common = (groups.disaggregation = 'common_age') AND ages.age = groups.age
ANTI JOIN estimates AS present
  ON present.submission_id = wholes.submission_id AND present.indicator = wholes.indicator
  AND present.disaggregation = groups.disaggregation AND ${same_group}
WHERE list_contains(disaggregations, groups.disaggregation)
