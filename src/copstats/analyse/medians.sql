-- The smallest answer with at least half of the weight at or below it.
CREATE OR REPLACE TEMP TABLE medians AS
SELECT domain, min(answer) AS median
FROM cumulated
WHERE share >= 0.5 - 1e-12
GROUP BY domain
