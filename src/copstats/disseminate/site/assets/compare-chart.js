"use strict";
// Draws the chosen rows as points with intervals. The tables hold the same numbers, so the drawing itself is
// hidden from assistive technology; its figure has a name.
window.copstats = window.copstats || {};

(function (copstats) {
  const ROW = 26;
  const GROUP_ROW = 17;
  const GAP = 8;
  const NARROW = 480;

  function specification(rows, means, look) {
    const groups = look.picked.map((group) => look.groups[group]);
    const values = rows.map((row) => ({
      area: look.areas[row.ref_area],
      group: look.groups[row.group],
      value: row.value,
      lower: row.ci_lower,
      upper: row.ci_upper,
      weak: row.obs_status === "U",
    }));
    const areas = [...new Set(values.map((row) => row.area))];
    const narrow = look.width < NARROW;
    const many = groups.length > 1;
    const legend = { title: null, orient: "top", columns: narrow ? 1 : 3, labelLimit: 0 };
    const byGroup = many ? { field: "group", type: "nominal", scale: { domain: groups }, legend } : undefined;
    const points = (filled) => ({
      transform: [{ filter: filled ? "!datum.weak" : "datum.weak" }],
      mark: { type: "point", size: 70, strokeWidth: 2, filled },
      encoding: { x: axis(look, "value"), color: byGroup || { value: look.config.range.category[0] }, shape: byGroup },
    });
    return {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      config: {
        ...look.config,
        font: getComputedStyle(document.body).fontFamily,
        legend: {
          labelColor: "currentColor",
          labelFontSize: 13,
          layout: { top: { anchor: look.mirrored ? "end" : "start" } },
        },
      },
      background: null,
      width: "container",
      height: areas.length * (many ? groups.length * GROUP_ROW + GAP : ROW),
      autosize: { type: "fit-x", contains: "padding" },
      data: { values },
      encoding: {
        y: {
          field: "area",
          type: "nominal",
          sort: areas,
          scale: { paddingInner: many ? 0.25 : 0, paddingOuter: many ? 0.1 : 0 },
          axis: { orient: look.mirrored ? "right" : "left", labelLimit: narrow ? 0.4 * look.width : 260 },
        },
        ...(many ? { yOffset: { field: "group", sort: groups } } : {}),
      },
      layer: [
        {
          mark: { type: "rule", strokeWidth: 2 },
          encoding: {
            x: axis(look, "lower"),
            x2: { field: "upper" },
            color: byGroup || { value: look.config.range.category[0] },
          },
        },
        points(true),
        ...(values.some((row) => row.weak) ? [points(false)] : []),
        ...means.map((mean) => ({
          data: { values: [{ mean }] },
          mark: { type: "rule", strokeDash: [5, 4], strokeWidth: 1.5 },
          encoding: { x: axis(look, "mean"), y: { value: 0 }, y2: { value: "height" }, color: { value: "currentColor" } },
        })),
      ],
    };
  }

  function axis(look, field) {
    return {
      field,
      type: "quantitative",
      scale: { zero: true, nice: true, reverse: look.mirrored },
      axis: { title: look.axisTitle, titleColor: "currentColor", tickCount: look.width < NARROW ? 4 : 8, orient: "bottom" },
    };
  }

  let loading = null;
  let wanted = 0;
  let last = Promise.resolve();

  // The library is large: the tables do not wait for it, and hold everything if it does not come.
  function library(address) {
    loading ??= copstats.load(address);
    return loading;
  }

  async function embed(place, turn, rows, means, look) {
    if (turn !== wanted) return;
    place.replaceChildren();
    if (!rows.length) return;
    await window.vegaEmbed(place, specification(rows, means, look), {
      actions: false,
      ast: true,
      defaultStyle: false,
      renderer: "svg",
      tooltip: false,
    });
  }

  // Drawings are made one after another, and those that nobody waits for any more not at all.
  function draw(place, address, rows, means, look) {
    wanted += 1;
    const turn = wanted;
    last = last
      .then(() => library(address))
      .then(() => embed(place, turn, rows, means, look))
      .catch(() => (place.closest("figure").hidden = true));
  }

  copstats.chart = { draw };
})(window.copstats);
