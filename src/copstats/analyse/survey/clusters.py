"""The place of every record in the design: strata, PSUs and, where they count, secondary units."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from copstats.analyse.survey.columns import checked_expression, guarded
from copstats.analyse.survey.design import Design
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """The sample as drawn, whoever answered. Clusters stand in the order of strata and PSUs.

    Attributes:
        psu: clusters -> number of the PSU. Clusters are PSUs, or secondary units where they count.
        stratum: PSUs -> number of the stratum.
        psus: strata -> sampled PSUs.
        taken: strata -> share of the population's PSUs that was sampled; 0 if unknown.
        ssus: PSUs -> sampled secondary units.
        ssus_taken: PSUs -> share of the PSU's secondary units that was sampled; 0 if unknown.
        second_stage: whether clusters are secondary units.
    """

    psu: Integers
    stratum: Integers
    psus: Array
    taken: Array
    ssus: Array
    ssus_taken: Array
    second_stage: bool

    @property
    def count(self) -> int:
        """Number of clusters."""
        return len(self.psu)

    def by_psu(self, by_cluster: Array) -> Array:
        """Add up rows of clusters to rows of PSUs."""
        return _added(by_cluster, self.psu) if self.second_stage else by_cluster

    def by_stratum(self, by_psu: Array) -> Array:
        """Add up rows of PSUs to rows of strata."""
        return _added(by_psu, self.stratum)


def _added(rows: Array, groups: Integers) -> Array:
    """Sum consecutive rows of the same group; every group has a row."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    sums: Array = np.add.reduceat(rows, starts, axis=0)
    return sums


def number_clusters(connection: duckdb.DuckDBPyConnection, design: Design) -> Clusters:
    """Make the table ``records`` from the view ``source`` and return its clusters.

    Raises:
        EstimationError: E002, E003, E005, E006: the design does not fit the records; E031, E032: a name in
            the design; E035, no record; E036, PSU codes that stand in several strata.
    """
    _key_records(connection, design)
    _check_keys(connection)
    with guarded():
        connection.execute(_CLUSTERS)
        connection.execute(_RECORDS)
        columns = connection.sql("SELECT * EXCLUDE (stratum, psu, ssu) FROM clusters ORDER BY unit")
        table = columns.fetchnumpy()
        connection.execute("DROP TABLE keyed")
    _check_population(table, design)
    _check_weights(connection)
    if not design.nest:
        _check_nesting(connection)
    return _clusters(table, design.second_stage)


_CLUSTERS = """
CREATE TABLE clusters AS
WITH units AS (
  SELECT
    copstats_stratum AS stratum, copstats_psu AS psu, copstats_ssu AS ssu,
    min(copstats_n1) AS low_1, max(copstats_n1) AS high_1,
    min(copstats_n2) AS low_2, max(copstats_n2) AS high_2
  FROM keyed
  GROUP BY ALL
),
psus AS (
  SELECT stratum, psu, count(*) AS ssus, min(low_2) AS low_2, max(high_2) AS in_psu
  FROM units
  GROUP BY ALL
),
strata AS (
  SELECT stratum, count(DISTINCT psu) AS psus, min(low_1) AS low_1, max(high_1) AS in_stratum
  FROM units
  GROUP BY ALL
)
SELECT
  stratum, psu, ssu,
  row_number() OVER (ORDER BY stratum, psu, ssu) - 1 AS unit,
  dense_rank() OVER (ORDER BY stratum, psu) - 1 AS psu_no,
  dense_rank() OVER (ORDER BY stratum) - 1 AS stratum_no,
  strata.psus::DOUBLE AS psus,
  coalesce(strata.psus / in_stratum, 0) AS taken,
  psus.ssus::DOUBLE AS ssus,
  coalesce(psus.ssus / in_psu, 0) AS ssus_taken,
  coalesce(strata.low_1 < in_stratum OR psus.low_2 < in_psu, FALSE) AS differs
FROM units JOIN psus USING (stratum, psu) JOIN strata USING (stratum)
"""

_RECORDS = """
CREATE TABLE records AS
SELECT
  keyed.* EXCLUDE (copstats_stratum, copstats_psu, copstats_ssu, copstats_n1, copstats_n2, copstats_weight),
  clusters.unit AS copstats_unit,
  coalesce(
    copstats_weight,
    1 / (nullif(clusters.taken, 0) * coalesce(nullif(clusters.ssus_taken, 0), 1)),
    1
  ) AS copstats_weight
FROM keyed JOIN clusters
  ON copstats_stratum = clusters.stratum AND copstats_psu = clusters.psu AND copstats_ssu = clusters.ssu
ORDER BY copstats_record
"""


def _key_records(connection: duckdb.DuckDBPyConnection, design: Design) -> None:
    def column(expression: str | None, otherwise: str) -> str:
        return checked_expression(connection, "source", expression) if expression else otherwise

    psu, ssu = design.stages
    in_stratum, in_psu = design.population
    every_record = "row_number() OVER ()"
    # Secondary units matter only where their number in the population is known; else PSUs are ultimate.
    second = column(ssu, every_record) if design.second_stage else "1"
    # A missing weight must be found below, hence NaN: NULL stands for a weight that follows from the design.
    weight = (
        f"coalesce({column(design.weight, '')}::DOUBLE, 'NaN'::DOUBLE)" if design.weight else "NULL::DOUBLE"
    )
    query = f"""
        CREATE TABLE keyed AS
        SELECT
          source.*,
          {every_record} AS copstats_record,
          {weight} AS copstats_weight,
          {column(design.strata, "1")} AS copstats_stratum,
          {column(psu, every_record)} AS copstats_psu,
          {second} AS copstats_ssu,
          ({column(in_stratum, "NULL")})::DOUBLE AS copstats_n1,
          ({column(in_psu, "NULL")})::DOUBLE AS copstats_n2
        FROM source
    """  # noqa: S608
    with guarded():
        connection.execute(query)


def _check_keys(connection: duckdb.DuckDBPyConnection) -> None:
    ((records, without),) = connection.sql(
        "SELECT count(*), count_if(copstats_stratum IS NULL OR copstats_psu IS NULL OR copstats_ssu IS NULL)"
        " FROM keyed"
    ).fetchall()
    if not records:
        raise EstimationError("E035")
    if without:
        raise EstimationError("E003", count=int(without))


def _check_weights(connection: duckdb.DuckDBPyConnection) -> None:
    ((count,),) = connection.sql(
        "SELECT count_if(NOT (isfinite(copstats_weight) AND copstats_weight >= 0)) FROM records"
    ).fetchall()
    if count:
        raise EstimationError("E037", count=int(count))


def _check_nesting(connection: duckdb.DuckDBPyConnection) -> None:
    ((count,),) = connection.sql(
        "SELECT count(*) FROM (SELECT psu FROM clusters GROUP BY psu HAVING count(DISTINCT stratum) > 1)"
    ).fetchall()
    if count:
        raise EstimationError("E036", count=int(count))


def _check_population(table: dict[str, npt.NDArray[np.float64]], design: Design) -> None:
    """Refuse populations smaller than the sample, and strata with one PSU where they are to fail."""
    wrong = (table["taken"] > 1) | (table["ssus_taken"] > 1) | table["differs"].astype(bool)
    if wrong.any():
        raise EstimationError("E006", count=len(np.unique(table["stratum_no"][wrong])))
    single = (table["psus"] == 1) & (table["taken"] < 1)
    if design.second_stage:
        single |= (table["ssus"] == 1) & (table["ssus_taken"] < 1)
    if design.single_psu == "fail" and design.replicates is None and single.any():
        raise EstimationError("E005", count=len(np.unique(table["stratum_no"][single])))


def _clusters(table: dict[str, npt.NDArray[np.float64]], second_stage: bool) -> Clusters:
    psu = table["psu_no"].astype(np.int64)
    first_of_psu = np.flatnonzero(np.diff(psu, prepend=-1))
    stratum = table["stratum_no"].astype(np.int64)[first_of_psu]
    first_of_stratum = first_of_psu[np.flatnonzero(np.diff(stratum, prepend=-1))]
    return Clusters(
        psu=psu,
        stratum=stratum,
        psus=table["psus"][first_of_stratum],
        taken=table["taken"][first_of_stratum],
        ssus=table["ssus"][first_of_psu],
        ssus_taken=table["ssus_taken"][first_of_psu],
        second_stage=second_stage,
    )
