-- Columns are qualified throughout: the parameters of a macro take the place of unqualified names, even within
-- a view that the macro reads.
CREATE VIEW tabulated_value AS
SELECT
  CASE
    WHEN v.age NOT IN (${band_codes}, '_T') THEN 'common_age'
    ELSE coalesce(nullif(concat_ws('_', ${crossed}), ''), 'total')
  END AS disaggregation,
  v.*
FROM indicator_value AS v;

CREATE VIEW latest_value AS
SELECT v.*
FROM tabulated_value AS v
WHERE v.value IS NOT NULL
QUALIFY row_number() OVER (
  PARTITION BY v.ref_area, v.indicator, ${dimensions}, v.standardised
  ORDER BY v.time_period DESC, v.comparability, v.survey, v.source
) = 1
ORDER BY v.indicator, v.ref_area, ${dimensions}, v.standardised;

CREATE MACRO labels(language := 'en') AS TABLE
SELECT l.kind, l.code, l.text
FROM label AS l
QUALIFY row_number() OVER (
  PARTITION BY l.kind, l.code ORDER BY l.language = language DESC, l.language = 'en' DESC, l.language
) = 1
ORDER BY l.kind, l.code;

CREATE MACRO named(language := 'en') AS TABLE
WITH words AS (
  SELECT w.kind, w.code, w.text FROM labels(language := language) AS w
)
SELECT
  coalesce(area.text, v.ref_area) AS area,
  coalesce(indicator.text, v.indicator) AS title,
  coalesce(
    nullif(concat_ws(
      ', ', sex.text, age.text, residence.text, quintile.text, disability.text, education.text,
      nullif(v.region, '_T'), standardised.text
    ), ''),
    total.text
  ) AS group_label,
  reason.text AS reason_label,
  comparability.text AS comparability_label,
  v.*
FROM tabulated_value AS v
LEFT JOIN words AS area ON area.kind = 'area' AND area.code = v.ref_area
LEFT JOIN words AS indicator ON indicator.kind = 'indicator' AND indicator.code = v.indicator
LEFT JOIN words AS sex ON sex.kind = 'sex' AND sex.code = v.sex AND v.sex <> '_T'
LEFT JOIN words AS age ON age.kind = 'age' AND age.code = v.age AND v.age <> '_T'
LEFT JOIN words AS residence ON residence.kind = 'residence' AND residence.code = v.residence AND v.residence <> '_T'
LEFT JOIN words AS quintile
  ON quintile.kind = 'wealth_quintile' AND quintile.code = v.wealth_quintile AND v.wealth_quintile <> '_T'
LEFT JOIN words AS disability
  ON disability.kind = 'disability' AND disability.code = v.disability AND v.disability <> '_T'
LEFT JOIN words AS education ON education.kind = 'education' AND education.code = v.education AND v.education <> '_T'
LEFT JOIN words AS standardised
  ON standardised.kind = 'standardised' AND standardised.code = v.standardised AND v.standardised = 'Y'
LEFT JOIN words AS total ON total.kind = 'sex' AND total.code = '_T'
LEFT JOIN words AS reason ON reason.kind = 'reason' AND reason.code = v.reason
LEFT JOIN words AS comparability ON comparability.kind = 'comparability' AND comparability.code = v.comparability
ORDER BY v.ref_area, v.indicator, v.time_period, v.survey, ${dimensions}, v.standardised, v.source;

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
  indicator, sex := '_T', age := '_T', residence := '_T', wealth_quintile := '_T', disability := '_T',
  education := '_T', standardised := 'N'
) AS TABLE
SELECT
  v.ref_area, a.area, v.time_period, v.survey, v.unit_measure,
  v.value, v.se, v.ci_lower, v.ci_upper, v.n_band, v.obs_status, v.comparability, v.comparability_reasons, v.source
FROM latest_value AS v
LEFT JOIN area AS a ON a.ref_area = v.ref_area
WHERE v.indicator = indicator AND v.comparability IN ('A', 'B') AND v.standardised = standardised
  AND v.sex = sex AND v.age = age AND v.residence = residence AND v.wealth_quintile = wealth_quintile
  AND v.disability = disability AND v.education = education AND v.region = '_T'
ORDER BY v.value DESC, v.ref_area;

CREATE MACRO trend(indicator, area, sex := '_T', age := '_T') AS TABLE
SELECT
  v.time_period, v.survey, v.unit_measure, v.value, v.se, v.ci_lower, v.ci_upper, v.n_band,
  v.obs_status, v.reason, r.label AS reason_label, v.comparability, v.comparability_reasons, v.source
FROM indicator_value AS v
LEFT JOIN codelist AS r ON r.codelist = 'reason' AND r.code = v.reason
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

CREATE MACRO gap(indicator, dimension := 'sex') AS TABLE
SELECT
  d.ref_area, a.area, d.time_period, d.survey,
  d.group_a, coalesce(la.label, d.group_a) AS label_a, d.value_a,
  d.group_b, coalesce(lb.label, d.group_b) AS label_b, d.value_b,
  d.unit_measure, d.difference, d.se, d.ci_lower, d.ci_upper, d.p, d.comparability, d.reason, r.label AS reason_label
FROM group_difference AS d
LEFT JOIN area AS a ON a.ref_area = d.ref_area
LEFT JOIN codelist AS la ON la.codelist = d.dimension AND la.code = d.group_a
LEFT JOIN codelist AS lb ON lb.codelist = d.dimension AND lb.code = d.group_b
LEFT JOIN codelist AS r ON r.codelist = 'reason' AND r.code = d.reason
WHERE d.indicator = indicator AND d.dimension = dimension
QUALIFY d.source = first_value(d.source) OVER (
  PARTITION BY d.ref_area ORDER BY d.time_period DESC, d.comparability, d.survey, d.source
)
ORDER BY d.ref_area, d.group_a, d.group_b;

CREATE MACRO changes(area, sex := '_T', age := '_T') AS TABLE
SELECT
  i.domain, c.indicator, i.title, c.survey, c.time_period_from, c.time_period_to, c.unit_measure,
  c.value_from, c.value_to, c.change, c.se, c.ci_lower, c.ci_upper, c.p, c.samples,
  c.comparability, c.comparability_reasons, c.reason, r.label AS reason_label
FROM change AS c
JOIN indicator AS i ON i.indicator = c.indicator
LEFT JOIN codelist AS r ON r.codelist = 'reason' AND r.code = c.reason
WHERE c.ref_area = area AND c.sex = sex AND c.age = age AND c.standardised = 'N'
  AND c.residence = '_T' AND c.wealth_quintile = '_T' AND c.disability = '_T' AND c.education = '_T'
  AND c.region = '_T'
ORDER BY i.domain, c.indicator, c.survey, c.time_period_to;

CREATE MACRO regional_means(indicator, scheme := 'itu_region', sex := '_T') AS TABLE
SELECT
  m.scheme, m.area_group, m.label, m.time_period, m.unit_measure, m.value, m.se, m.ci_lower, m.ci_upper,
  m.countries, m.areas, m.coverage, m.earliest_period, m.latest_period, m.comparability, m.reason,
  r.label AS reason_label
FROM aggregate_value AS m
LEFT JOIN codelist AS r ON r.codelist = 'reason' AND r.code = m.reason
WHERE m.indicator = indicator AND m.sex = sex AND m.scheme IN (scheme, 'world')
ORDER BY m.scheme = 'world', m.value DESC NULLS LAST, m.area_group;

CREATE MACRO missing(indicator) AS TABLE
WITH newest AS (
  SELECT v.ref_area, v.time_period, v.survey, v.value, v.obs_status, v.reason, v.source
  FROM tabulated_value AS v
  WHERE v.indicator = indicator AND v.disaggregation = 'total' AND v.standardised = 'N'
  QUALIFY row_number() OVER (
    PARTITION BY v.ref_area ORDER BY v.time_period DESC, v.comparability, v.survey, v.source
  ) = 1
)
SELECT n.ref_area, a.area, n.time_period, n.survey, n.obs_status, n.reason, r.label AS reason_label, n.source
FROM newest AS n
LEFT JOIN area AS a ON a.ref_area = n.ref_area
LEFT JOIN codelist AS r ON r.codelist = 'reason' AND r.code = n.reason
WHERE n.value IS NULL
ORDER BY n.ref_area;

CREATE MACRO administrative(area) AS TABLE
SELECT
  m.service, v.measure, m.title, v.time_period, v.value, m.unit, v.denominator, v.obs_status,
  v.reason, r.label AS reason_label, v.deviation, v.source
FROM administrative_value AS v
JOIN measure AS m ON m.measure = v.measure
LEFT JOIN codelist AS r ON r.codelist = 'reason' AND r.code = v.reason
WHERE v.ref_area = area AND v.sex = '_T' AND v.age = '_T' AND v.breakdown = '_T'
ORDER BY m.service, v.measure, v.time_period;

CREATE MACRO revisions_since(label) AS TABLE
SELECT
  v.release_from, v.release_to, v.ref_area, a.area, v.indicator, coalesce(i.title, m.title) AS title,
  v.time_period, v.survey, ${dimensions}, v.breakdown, v.code, v.standardised, v.unit_measure, v.value_from,
  v.value_to, v.obs_status_from, v.obs_status_to,
  v.revision_reason, r.label AS reason_label
FROM revision AS v
LEFT JOIN area AS a ON a.ref_area = v.ref_area
LEFT JOIN indicator AS i ON i.indicator = v.indicator
LEFT JOIN measure AS m ON m.measure = v.indicator
LEFT JOIN codelist AS r ON r.codelist = 'revision_reason' AND r.code = v.revision_reason
WHERE v.release_from >= label
ORDER BY v.release_to, v.ref_area, v.indicator, v.time_period, v.survey, ${dimensions}, v.breakdown, v.code,
  v.standardised, v.source_from;

-- The examples name areas that this release has.
CREATE VIEW README AS
WITH known AS (
  SELECT coalesce(min(v.ref_area), 'KEN') AS area_a, coalesce(max(v.ref_area), 'MEX') AS area_b
  FROM indicator_value AS v
)
SELECT lines.line, replace(replace(lines.text, 'AREA_A', known.area_a), 'AREA_B', known.area_b) AS text
FROM known, (VALUES
  (1, 'Indicators of child online protection by country and area, release ${label}, framework ${framework}.'),
  (2, 'Tables and views: SHOW TABLES; the newest value of every cell: latest_value; national ones: disaggregation total.'),
  (3, 'Table indicator_value holds every published cell; FROM duckdb_columns() shows what each column means.'),
  (4, 'Per cents run from 0 to 100. value is NULL where reason says why; low and high stand for few or nearly all.'),
  (5, 'Compare countries by classes A and B of column comparability only; class C is for national use.'),
  (6, 'Values are rounded: differences of less than one step are not differences. Limits are rounded outward.'),
  (7, 'PD is persons with, PWD persons without disability. _T is the total.'),
  (8, 'A new release may revise any value: keep the label of the release with what you take from it.'),
  (9, 'Countries side by side             FROM compare(''RCD4''); FROM compare(''RCD4'', sex := ''F'');'),
  (10, 'Two countries                      FROM difference(''RCD4'', ''AREA_A'', ''AREA_B'');'),
  (11, 'Girls and boys, poor and rich      FROM gap(''RCD4''); FROM gap(''RCD4'', dimension := ''wealth_quintile'');'),
  (12, 'One country, all indicators        FROM country_profile(''AREA_A'');'),
  (13, 'One country, year by year          FROM trend(''RCD4'', ''AREA_A'');'),
  (14, 'One country, since its last round  FROM changes(''AREA_A'');'),
  (15, 'Regions and the world              FROM regional_means(''RCD4'', scheme := ''m49_region'');'),
  (16, 'Who lacks a value, and why         FROM missing(''HLP5'');'),
  (17, 'Counts of services                 FROM administrative(''AREA_A'');'),
  (18, 'What releases have revised         FROM revisions_since(''2026-Q1'');'),
  (19, 'In words, in ar en es fr ru or zh  FROM named(language := ''fr''); FROM labels(language := ''fr'');')
) AS lines(line, text)
ORDER BY lines.line;
