-- National values of each source by what keeps them from class A, and by the band of their item non-response.
WITH national AS (
  SELECT source, comparability_reasons, nonresponse_band
  FROM indicator_value
  WHERE standardised = 'N' AND ${total} AND value IS NOT NULL
),
facts AS (
  SELECT source, 'criterion' AS kind, unnest(string_split(comparability_reasons, ';')) AS code
  FROM national
  WHERE comparability_reasons <> ''
  UNION ALL
  SELECT source, 'nonresponse', nonresponse_band FROM national WHERE nonresponse_band IS NOT NULL
  UNION ALL
  SELECT source, 'shown', '' FROM national
)
SELECT source, kind, facts.code, any_value(rank) AS rank, count(*) AS indicators
FROM facts
LEFT JOIN codelist ON codelist.codelist = 'nonresponse_band' AND codelist.code = facts.code AND kind = 'nonresponse'
GROUP BY source, kind, facts.code
ORDER BY source, kind, rank, facts.code
