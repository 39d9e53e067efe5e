-- National values that a survey does not give, by survey and reason.
SELECT source, reason, string_agg(indicator, ' ' ORDER BY indicator) AS indicators
FROM indicator_value
WHERE standardised = 'N' AND ${total} AND value IS NULL
GROUP BY ALL
ORDER BY source, reason
