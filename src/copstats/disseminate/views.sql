-- Columns are qualified throughout: the parameters of a macro take the place of unqualified names, even within
-- a view that the macro reads.
CREATE VIEW latest_value AS
SELECT
  CASE
    WHEN v.age NOT IN (${band_codes}, '_T') THEN 'common_age'
    ELSE coalesce(nullif(concat_ws('_', ${crossed}), ''), 'total')
  END AS disaggregation,
  v.*
FROM indicator_value AS v
WHERE v.value IS NOT NULL
QUALIFY row_number() OVER (
  PARTITION BY v.ref_area, v.indicator, ${dimensions}, v.standardised
  ORDER BY v.time_period DESC, v.comparability, v.survey, v.source
) = 1
ORDER BY v.indicator, v.ref_area, ${dimensions};

CREATE MACRO country_profile(area) AS TABLE
SELECT
  i.domain, v.indicator, i.title, v.time_period, v.survey, v.unit_measure,
  v.value, v.se, v.ci_lower, v.ci_upper, v.n_band, v.obs_status,
  v.reason, r.label AS reason_label, v.comparability, v.comparability_reasons, v.source
FROM indicator_value AS v
JOIN indicator AS i ON v.indicator = i.indicator
LEFT JOIN codelist AS r ON r.codelist = 'reason' AND r.code = v.reason
WHERE v.ref_area = area AND v.standardised = 'N' AND ${v_total}
QUALIFY row_number() OVER (
  PARTITION BY v.indicator ORDER BY v.time_period DESC, v.comparability, v.survey, v.source
) = 1
ORDER BY i.domain, v.indicator;

CREATE MACRO compare(
  indicator, sex := '_T', age := '_T', residence := '_T', wealth_quintile := '_T', disability := '_T'
) AS TABLE
SELECT
  v.ref_area, a.area, v.time_period, v.survey, v.unit_measure,
  v.value, v.se, v.ci_lower, v.ci_upper, v.n_band, v.obs_status, v.comparability, v.comparability_reasons, v.source
FROM latest_value AS v
LEFT JOIN area AS a ON a.ref_area = v.ref_area
WHERE v.indicator = indicator AND v.comparability IN ('A', 'B') AND v.standardised = 'N'
  AND v.sex = sex AND v.age = age AND v.residence = residence AND v.wealth_quintile = wealth_quintile
  AND v.disability = disability AND v.education = '_T' AND v.region = '_T'
ORDER BY v.value DESC, v.ref_area;

CREATE MACRO trend(indicator, area, sex := '_T', age := '_T') AS TABLE
SELECT
  v.time_period, v.survey, v.unit_measure, v.value, v.se, v.ci_lower, v.ci_upper, v.n_band,
  v.obs_status, v.reason, v.comparability, v.comparability_reasons, v.source
FROM indicator_value AS v
WHERE v.indicator = indicator AND v.ref_area = area AND v.sex = sex AND v.age = age AND v.standardised = 'N'
  AND v.residence = '_T' AND v.wealth_quintile = '_T' AND v.disability = '_T' AND v.education = '_T'
  AND v.region = '_T'
ORDER BY v.time_period, v.survey, v.source;

CREATE MACRO difference(indicator, area_a, area_b, sex := '_T', age := '_T') AS TABLE
WITH shown AS (
  SELECT v.*
  FROM latest_value AS v
  WHERE v.indicator = indicator AND v.sex = sex AND v.age = age AND v.standardised = 'N'
    AND v.comparability IN ('A', 'B')
    AND v.residence = '_T' AND v.wealth_quintile = '_T' AND v.disability = '_T' AND v.education = '_T'
    AND v.region = '_T'
),
pair AS (
  SELECT
    a.indicator AS indicator_code, a.ref_area AS ref_area_a, b.ref_area AS ref_area_b,
    a.time_period AS time_period_a, b.time_period AS time_period_b, a.unit_measure AS unit,
    a.value AS value_a, b.value AS value_b, a.se AS se_a, b.se AS se_b,
    greatest(a.comparability, b.comparability) AS worst_class
  FROM shown AS a
  -- Of medians in whole years with limits in whole years no difference can be told.
  JOIN shown AS b ON a.unit_measure = b.unit_measure AND a.unit_measure = 'PCNT' AND a.ref_area <> b.ref_area
  WHERE a.ref_area = area_a AND b.ref_area = area_b
)
SELECT
  p.indicator_code AS indicator, p.ref_area_a, p.ref_area_b, p.time_period_a, p.time_period_b,
  p.value_a, p.value_b, p.unit AS unit_measure,
  round(p.value_a - p.value_b, 1) AS difference,
  round(sqrt(p.se_a * p.se_a + p.se_b * p.se_b), 2) AS se,
  round(p.value_a - p.value_b - 1.96 * sqrt(p.se_a * p.se_a + p.se_b * p.se_b), 1) AS ci_lower,
  round(p.value_a - p.value_b + 1.96 * sqrt(p.se_a * p.se_a + p.se_b * p.se_b), 1) AS ci_upper,
  p.worst_class AS comparability
FROM pair AS p;

CREATE VIEW README AS
SELECT line, text FROM (VALUES
  (1, 'Indicators of child online protection by country and area, release ${label}, framework ${framework}.'),
  (2, 'Start: FROM compare(''RCD4''); or FROM country_profile(''KEN''); or FROM latest_value LIMIT 20;'),
  (3, 'Table indicator_value holds every published cell; DESCRIBE and duckdb_columns() show what each column means.'),
  (4, 'Per cents run from 0 to 100. value is NULL where reason says why; low and high stand for few or nearly all.'),
  (5, 'Compare countries by classes A and B of column comparability only; class C is for national use.'),
  (6, 'Values are rounded: differences of less than one step are not differences. Limits are rounded outward.'),
  (7, 'PD is persons with, PWD persons without disability. _T is the total.'),
  (8, 'A new release may revise any value: keep the label of the release with what you take from it.')
) AS lines(line, text)
ORDER BY line;
