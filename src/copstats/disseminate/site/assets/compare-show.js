"use strict";
// Writes the chosen rows into the tables of the page, as text only: what a value holds is never markup.
window.copstats = window.copstats || {};

(function (copstats) {
  // As many decimals as the published, rounded value has.
  function digits(value) {
    return Math.min((String(value).split(".")[1] || "").length, 2);
  }

  function speaker(content) {
    const isolated = (value) => (content.mirrored ? "\u2068" + value + "\u2069" : String(value));
    const formats = [0, 1, 2].map((decimals) => {
      const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
      return new Intl.NumberFormat(content.language + "-u-nu-latn", options);
    });
    return {
      text(key, values = {}) {
        return content.texts[key].replace(/\{(\w+)\}/g, (_, name) => isolated(values[name]));
      },
      number(value, decimals = digits(value)) {
        const said = formats[decimals].format(value);
        return content.mirrored && value < 0 ? "\u200e" + said : said;
      },
      interval(lower, upper, decimals) {
        if (lower === null || upper === null) return "";
        return this.text("range", { low: this.number(lower, decimals), high: this.number(upper, decimals) });
      },
      label(column, code) {
        return (content.labels[column] || {})[code] || code || "";
      },
      // As the published row has it; a code without a label stays a code.
      reason(row) {
        return row.reason ? this.label("reason", row.reason) : content.texts.not_published;
      },
      reasons(row) {
        const codes = (row.comparability_reasons || "").split(";").filter(Boolean);
        return codes.map((code) => content.criteria[code] || code);
      },
    };
  }

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function header(titles) {
    const cells = titles.map(([title, numeric]) => {
      return element("th", { scope: "col", textContent: title, className: numeric ? "num" : "" });
    });
    return element("thead", {}, element("tr", {}, ...cells));
  }

  function table(place, caption, titles, rows) {
    const named = element("caption", { id: place.id + "-title", textContent: caption });
    place.replaceChildren(named, header(titles), element("tbody", {}, ...rows));
  }

  function figures(row, say) {
    const value = element("td", { className: "num" }, say.number(row.value));
    if (row.obs_status === "U") {
      value.append(" ", element("abbr", { className: "weak", title: say.text("low_reliability") }, "U"));
    }
    return [
      value,
      element("td", { className: "num" }, say.interval(row.ci_lower, row.ci_upper)),
      element("td", {}, row.time_period),
      element("td", {}, element("bdi", {}, row.survey)),
      element("td", { className: "band" }, say.label("n_band", row.n_band)),
      element("td", {}, say.label("reliability", row.reliability)),
      comparability(row, say),
    ];
  }

  function withheld(row, say) {
    const survey = row.survey ? ` (${row.time_period}, ${row.survey})` : "";
    const text = element("span", { textContent: say.reason(row) + survey });
    return [element("td", { colSpan: 7, className: "withheld" }, text)];
  }

  function comparability(row, say) {
    const shown = element("td");
    if (row.comparability) {
      shown.append(element("span", { className: "class class-" + row.comparability }, row.comparability));
    }
    const reasons = say.reasons(row).map((reason) => element("li", {}, reason));
    if (reasons.length) shown.append(element("ul", { className: "reasons" }, ...reasons));
    return shown;
  }

  // look: {areas, groups, picked, folder}: names, the groups chosen, and the folder of the countries' pages.
  function values(place, caption, rows, look, say) {
    const several = look.picked.length > 1;
    const titles = [
      [say.text("country")],
      ...(several ? [[say.text("group")]] : []),
      [say.text("value"), true],
      [say.text("interval"), true],
      ...["year", "survey", "answers", "reliability", "class"].map((key) => [say.text(key)]),
    ];
    const lines = rows.map((row) => {
      const link = element("a", { href: look.folder + row.ref_area + ".html" }, look.areas[row.ref_area]);
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, element("bdi", {}, link)),
        ...(several ? [element("td", {}, look.groups[row.group])] : []),
        ...(row.value === null ? withheld(row, say) : figures(row, say)),
      );
    });
    table(place, caption, titles, lines);
  }

  // pairs: [{group, a, b, found}]; found is a difference, or null.
  function differences(place, pairs, look, say) {
    const [first] = pairs;
    const names = { a: look.areas[first.a.ref_area], b: look.areas[first.b.ref_area] };
    const titles = [
      [say.text("group")],
      [names.a, true],
      [names.b, true],
      [say.text("difference"), true],
      [say.text("interval"), true],
      [say.text("reading")],
    ];
    const lines = pairs.map(({ group, a, b, found }) => {
      const shown = [a, b].map((row) => {
        if (row.value === null) return element("td", { className: "withheld" }, say.reason(row));
        return element("td", { className: "num" }, `${say.number(row.value)} (${row.time_period})`);
      });
      return element("tr", {}, element("th", { scope: "row" }, look.groups[group]), ...shown, ...told(found, a, b, say));
    });
    table(place, say.text("difference_of", names), titles, lines);
  }

  function told(found, a, b, say) {
    if (!found) {
      const medians = [a, b].every((row) => row.value !== null && row.unit_measure !== "PCNT");
      return [element("td", { colSpan: 3, className: "withheld" }, say.text(medians ? "median" : "no_pair"))];
    }
    const apart = found.ci_lower > 0 || found.ci_upper < 0;
    return [
      element("td", { className: "num" }, say.number(found.difference, 1)),
      element("td", { className: "num" }, say.interval(found.ci_lower, found.ci_upper, 1)),
      element("td", {}, say.text(apart ? "differs" : "same")),
    ];
  }

  copstats.show = { speaker, values, differences };
})(window.copstats);
