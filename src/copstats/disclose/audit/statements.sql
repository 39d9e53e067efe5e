-- What is published of each cell beside what an attacker is taken to know of it.
WITH published AS (  -- cells that show a figure or withhold one
  SELECT *, TRUE AS is_published
  FROM indicator_value
  WHERE standardised = 'N' AND unit_measure IN (${unit_codes}) AND obs_status NOT IN (${not_collected})
),
known AS (
  SELECT *, TRUE AS is_known
  FROM attacker
  WHERE unit IN (${units}) AND submission_id IN (SELECT source FROM published)
),
wave AS (SELECT DISTINCT source, ref_area, survey, time_period FROM published)
SELECT
  wave.*,
  coalesce(published.indicator, known.indicator) AS indicator,
  ${dimensions},
  published.value,
  published.se,
  published.reason,
  published.n_band,
  published.nonresponse_band,
  coalesce(is_published, FALSE) AS is_published,
  coalesce(is_known, FALSE) AS is_known,
  known.n,
  known.weight,
  known.tier,
  known.reason AS known_reason,
  known.coded_limit
FROM published
FULL JOIN known
  ON published.source = known.submission_id AND published.indicator = known.indicator AND ${same_group}
JOIN wave ON wave.source = coalesce(published.source, known.submission_id)
ORDER BY ref_area, survey, time_period, source, indicator, ${group}
