"use strict";
// The compare page: form -> address of the page -> rows -> chart, tables and a sentence that is read out.
window.copstats = window.copstats || {};

(function (copstats) {
  const { DIMENSIONS, TOTAL } = copstats.rows;
  const page = document.getElementById("compare");
  const content = JSON.parse(page.dataset.content);
  const say = copstats.show.speaker(content);
  const form = document.getElementById("choice");
  const byId = (id) => document.getElementById(id);
  const listing = new Intl.ListFormat(content.language);
  const received = new Map();
  const waiting = new Map();
  let current = null;

  // Called by the script of an indicator: a page opened from a folder may load scripts and nothing else.
  copstats.receive = (code, data) => received.set(code, { rows: copstats.rows.index(data.values), means: data.means });

  copstats.load = (address) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = resolve;
      script.onerror = () => reject(new Error(address));
      document.head.append(script);
    });

  async function load(code) {
    if (!waiting.has(code)) waiting.set(code, copstats.load(`${page.dataset.folder}compare-${code}.js`));
    await waiting.get(code);
    return received.get(code);
  }

  const ticked = (name) => [...form.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.value);
  const boxes = (name) => [...form.querySelectorAll(`input[name="${name}"]`)];

  function choice() {
    const dimension = form.elements.dimension.value;
    const members = (content.regions[form.elements.region.value] || {}).areas;
    const groups = dimension ? ticked(dimension) : [TOTAL];
    const broken = dimension !== "" && dimension !== "sex";
    return {
      language: content.language,
      indicator: form.elements.indicator.value,
      dimension,
      groups,
      standardised: !broken && ticked("standardised").length ? "Y" : "N",
      region: form.elements.region.value,
      areas: ticked("areas").filter((area) => !members || members.includes(area)),
      sort: form.elements.sort.value,
      apart: ticked("apart").length > 0,
      a: form.elements.a.value,
      b: form.elements.b.value,
    };
  }

  // What is the default stays out of the address.
  function address(chosen) {
    const picked = ticked("areas");
    const parts = {
      indicator: chosen.indicator,
      [chosen.dimension || "-"]: chosen.dimension ? chosen.groups.join(",") || "-" : "",
      standardised: chosen.standardised === "Y" ? "Y" : "",
      region: chosen.region,
      areas: picked.length === boxes("areas").length ? "" : picked.join(",") || "-",
      sort: chosen.sort === "high" ? "" : chosen.sort,
      classes: chosen.apart ? "ABC" : "",
      a: chosen.a,
      b: chosen.b,
    };
    const kept = Object.entries(parts).filter(([, value]) => value);
    return "#" + kept.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`).join("&");
  }

  // Anybody may write an address: what no control offers is passed over.
  function restore(hash) {
    const asked = new URLSearchParams(hash.replace(/^#/, ""));
    const pick = (name, value, other) => {
      const offered = [...form.elements[name].options].map((option) => option.value);
      form.elements[name].value = offered.includes(value) ? value : (other ?? offered[0]);
    };
    const tick = (name, said) => {
      const wanted = said === null ? null : said.split(",");
      boxes(name).forEach((box) => (box.checked = wanted === null || wanted.includes(box.value)));
    };
    const offered = [...form.elements.dimension.options].map((option) => option.value);
    const dimension = DIMENSIONS.find((name) => asked.has(name) && offered.includes(name)) || "";
    pick("indicator", asked.get("indicator"));
    pick("dimension", dimension);
    DIMENSIONS.forEach((name) => tick(name, name === dimension ? asked.get(name) : null));
    pick("region", asked.get("region"), "");
    pick("sort", asked.get("sort"));
    tick("areas", asked.get("areas"));
    tick("standardised", asked.get("standardised") || "");
    tick("apart", asked.get("classes") === "ABC" ? "C" : "");
    pick("a", asked.get("a"), "");
    pick("b", asked.get("b"), "");
  }

  function adjust(chosen) {
    form.querySelectorAll("[data-dimension]").forEach((set) => (set.hidden = set.dataset.dimension !== chosen.dimension));
    const [box] = boxes("standardised");
    box.disabled = chosen.dimension !== "" && chosen.dimension !== "sex";
    const members = (content.regions[chosen.region] || {}).areas;
    boxes("areas").forEach((area) => (area.closest("label").hidden = Boolean(members) && !members.includes(area.value)));
    byId("count").textContent = `(${say.number(chosen.areas.length)})`;
  }

  function looks(chosen) {
    const groups = { [TOTAL]: say.text("total"), ...(content.groups[chosen.dimension] || {}) };
    return { areas: content.areas, groups, picked: chosen.groups, folder: page.dataset.areas };
  }

  function title(chosen, look) {
    const parts = [content.indicators[chosen.indicator]];
    if (chosen.dimension) parts.push(listing.format(chosen.groups.map((group) => look.groups[group])));
    if (chosen.standardised === "Y") parts.push(say.text("standardised"));
    return parts.filter(Boolean).join(" · ");
  }

  // The mean of the chosen region, where one is made: of the total or of one sex.
  function mean(means, chosen) {
    if (!chosen.region || chosen.standardised === "Y" || chosen.groups.length !== 1) return null;
    if (chosen.dimension !== "" && chosen.dimension !== "sex") return null;
    const [scheme, group] = chosen.region.split(":");
    const all = means.scheme ? copstats.rows.records(means) : [];
    return all.find((row) => row.scheme === scheme && row.area_group === group && row.sex === chosen.groups[0]) || null;
  }

  function meanSaid(found, chosen) {
    if (!chosen.region) return "";
    const region = content.regions[chosen.region].name;
    if (!found) return say.text("mean_only");
    if (found.value === null) return say.text("no_mean", { region, reason: say.label("reason", found.reason) });
    const [value, low, high] = [found.value, found.ci_lower, found.ci_upper].map((number) => say.number(number));
    return say.text("mean", { region, value, low, high, count: say.number(found.countries) });
  }

  const countries = (rows) => say.number(new Set(rows.map((row) => row.ref_area)).size);

  function draw(result, found, chosen, look) {
    const units = [...result.compared, ...result.withheld].map((row) => row.unit_measure).filter(Boolean);
    const chart = byId("chart");
    chart.setAttribute("aria-label", say.text("chart_of", { indicator: title(chosen, look) }));
    chart.hidden = result.compared.length === 0;
    const drawing = byId("drawing");
    copstats.chart.draw(drawing, page.dataset.library, result.compared, found && found.value !== null ? [found.value] : [], {
      ...look,
      config: content.chart,
      mirrored: content.mirrored,
      width: chart.clientWidth,
      axisTitle: say.label("unit_measure", units[0]),
    });
  }

  function compareTwo(rows, chosen, look) {
    const note = byId("difference-note");
    const region = byId("difference-region");
    region.hidden = true;
    note.textContent = "";
    if (!chosen.a || !chosen.b) return;
    if (chosen.a === chosen.b) {
      note.textContent = say.text("two");
      return;
    }
    const pairs = chosen.groups.map((group) => {
      const [a, b] = [chosen.a, chosen.b].map((area) => copstats.rows.find(rows, chosen, area, group));
      return { group, a, b, found: copstats.rows.difference(a, b) };
    });
    if (!pairs.length) return;
    copstats.show.differences(byId("difference"), pairs, look, say);
    region.hidden = false;
  }

  async function show() {
    const chosen = choice();
    adjust(chosen);
    history.replaceState(null, "", address(chosen));
    document.querySelectorAll(".languages a").forEach((link) => (link.hash = location.hash));
    const status = byId("status");
    if (!received.has(chosen.indicator)) status.textContent = say.text("loading");
    let data;
    try {
      data = await load(chosen.indicator);
    } catch {
      status.textContent = say.text("failed");
      byId("result").hidden = true;
      return;
    }
    if (choice().indicator !== chosen.indicator) return;
    present(data, chosen, status);
  }

  function present(data, chosen, status) {
    const look = looks(chosen);
    const result = copstats.rows.select(data.rows, chosen, content.areas);
    const named = title(chosen, look);
    current = { result, chosen, look };
    byId("result").hidden = false;
    byId("chosen").textContent = named;
    byId("definition").href = `${page.dataset.indicators}${chosen.indicator}.html`;
    const found = mean(data.means, chosen);
    byId("mean").textContent = meanSaid(found, chosen);
    const caption = say.text("values_of", { indicator: named });
    copstats.show.values(byId("table"), caption, [...result.compared, ...result.withheld], look, say);
    byId("apart").hidden = !chosen.apart || !result.apart.length;
    copstats.show.values(byId("apart-table"), say.text("apart_of", { indicator: named }), result.apart, look, say);
    const unseen = result.apart.length && !chosen.apart;
    byId("hidden").textContent = unseen ? say.text("hidden", { count: countries(result.apart) }) : "";
    compareTwo(data.rows, chosen, look);
    draw(result, found, chosen, look);
    const numbers = { compared: countries(result.compared), apart: countries(result.apart) };
    const some = new Set([...result.compared, ...result.apart].map((row) => row.ref_area));
    numbers.withheld = countries(result.withheld.filter((row) => !some.has(row.ref_area)));
    const said = say.text("status", { indicator: named, ...numbers });
    status.textContent = result.compared.length ? said : `${said} ${say.text("nothing")}`;
  }

  function download() {
    const { result, chosen, look } = current;
    const columns = ["country", "code", "indicator", "group", "standardised", "value", "unit", "se", "lower", "upper", "year"];
    const further = ["survey", "answers", "reliability", "class", "why", "reason", "source", "release"];
    const lines = [...result.compared, ...result.withheld, ...(chosen.apart ? result.apart : [])].map((row) => [
      ...[look.areas[row.ref_area], row.ref_area, chosen.indicator, look.groups[row.group], chosen.standardised],
      ...[row.value, row.unit_measure, row.se, row.ci_lower, row.ci_upper, row.time_period],
      ...[row.survey, row.n_band, row.reliability, row.comparability, say.reasons(row).join("; ")],
      ...[row.value === null ? say.reason(row) : "", row.source, content.release],
    ]);
    const text = copstats.rows.csv([...columns, ...further].map((key) => say.text(key)), lines);
    // The mark tells spreadsheets that the file is UTF-8.
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\uFEFF" + text], { type: "text/csv;charset=utf-8" }));
    link.download = `compare-${chosen.indicator}-${content.release}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async function copy() {
    const field = byId("address");
    try {
      await navigator.clipboard.writeText(location.href);
      byId("done").textContent = say.text("copied");
    } catch {
      byId("link-field").hidden = false;
      field.value = location.href;
      field.select();
      byId("done").textContent = say.text("copy_yourself");
    }
  }

  function tickAll(checked) {
    boxes("areas").forEach((box) => (box.checked = checked && !box.closest("label").hidden));
    show();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  [form, byId("a"), byId("b")].forEach((part) => part.addEventListener("change", show));
  byId("all").addEventListener("click", () => tickAll(true));
  byId("none").addEventListener("click", () => tickAll(false));
  byId("download").addEventListener("click", download);
  byId("copy").addEventListener("click", copy);
  byId("print").addEventListener("click", () => window.print());
  window.addEventListener("hashchange", () => {
    restore(location.hash);
    show();
  });
  byId("without").hidden = true;
  form.hidden = false;
  restore(location.hash);
  show();
})(window.copstats);
