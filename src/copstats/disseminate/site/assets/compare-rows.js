"use strict";
// Which published rows a reader's choice shows, in which order, and what is computed from them. No page is
// touched here.
window.copstats = window.copstats || {};

(function (copstats) {
  const DIMENSIONS = ["sex", "age", "residence", "wealth_quintile", "disability"];
  const TOTAL = "_T";
  const NORMAL_95 = 1.96;
  // As the release's CSV files: a text that a spreadsheet would take for a formula gets an apostrophe.
  const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
  const NUMBER = /^[+-]?[0-9]+([.][0-9]+)?$/;

  function records(columns) {
    const names = Object.keys(columns);
    return columns[names[0]].map((_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
  }

  function key(area, dimension, group, standardised) {
    return [area, ...DIMENSIONS.map((name) => (name === dimension ? group : TOTAL)), standardised].join("|");
  }

  function index(values) {
    const named = (row) => [row.ref_area, ...DIMENSIONS.map((name) => row[name]), row.standardised].join("|");
    return new Map(records(values).map((row) => [named(row), row]));
  }

  // A country without a row of the group has the reason of its total, where the total could not be observed. One
  // that is suppressed (Q) says nothing of its groups.
  function find(rows, choice, area, group) {
    const row = rows.get(key(area, choice.dimension, group, choice.standardised));
    const total = rows.get(key(area, "", TOTAL, "N"));
    const why = total && total.value === null && total.obs_status !== "Q" ? total.reason : null;
    return { ref_area: area, value: null, reason: why, comparability: null, ...row, group };
  }

  // Returns {compared, apart, withheld}: values of classes A and B in the reader's order, values of class C,
  // and cells without a value. The last two are never ranked.
  function select(rows, choice, names) {
    const collator = new Intl.Collator(choice.language);
    const byName = (a, b) => collator.compare(names[a.ref_area], names[b.ref_area]);
    const all = choice.areas.flatMap((area) => choice.groups.map((group) => find(rows, choice, area, group)));
    const compared = all.filter((row) => row.value !== null && row.comparability !== "C");
    const first = firstValues(compared);
    const ranked = (a, b) => first.get(a.ref_area) - first.get(b.ref_area);
    const order = { high: (a, b) => -ranked(a, b) || byName(a, b), low: (a, b) => ranked(a, b) || byName(a, b) };
    return {
      compared: compared.sort(order[choice.sort] || byName),
      apart: all.filter((row) => row.value !== null && row.comparability === "C").sort(byName),
      withheld: all.filter((row) => row.value === null).sort(byName),
    };
  }

  function firstValues(rows) {
    const values = new Map();
    rows.forEach((row) => values.has(row.ref_area) || values.set(row.ref_area, row.value));
    return values;
  }

  // Half away from zero, as the database's round(): the page and its SQL give the same digits.
  function round(value, decimals) {
    const scale = 10 ** decimals;
    return (Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale;
  }

  // As the macro difference() of copstats.duckdb: independent samples, classes A and B, no medians.
  function difference(a, b) {
    const comparable = (row) => row && row.value !== null && ["A", "B"].includes(row.comparability);
    if (!comparable(a) || !comparable(b) || a.unit_measure !== "PCNT" || b.unit_measure !== "PCNT") return null;
    if (a.se === null || b.se === null) return null;
    const gap = a.value - b.value;
    const se = Math.sqrt(a.se * a.se + b.se * b.se);
    return {
      difference: round(gap, 1),
      se: round(se, 2),
      ci_lower: round(gap - NORMAL_95 * se, 1),
      ci_upper: round(gap + NORMAL_95 * se, 1),
    };
  }

  function cell(value) {
    const text = value === null || value === undefined ? "" : String(value);
    const safe = FORMULA.test(text) && !NUMBER.test(text) ? "'" + text : text;
    return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  }

  function csv(header, lines) {
    return [header, ...lines].map((line) => line.map(cell).join(",") + "\r\n").join("");
  }

  copstats.rows = { DIMENSIONS, TOTAL, records, index, find, select, difference, csv };
})(window.copstats);
