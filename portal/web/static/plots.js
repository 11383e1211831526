// Draws the figures of the page of statistics. The numbers stand in a table below each, for those who see no picture.
"use strict";

const HEIGHT = 260;

// How much room a plot has, by its width.
function room(width) {
  return width < 420 ? { text: 11, side: 34 } : { text: 13, side: 48 };
}

function colours(width) {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return { ink: of("--ink"), soft: of("--soft"), line: of("--line"), series: [of("--green"), of("--amber")], font: of("--font"), ...room(width) };
}

// whole keeps the axis to whole numbers: there is no half request.
function whole(u, axis, min, max, increment) {
  const step = Math.max(1, Math.ceil(increment));
  const all = [];
  for (let n = 0; n <= max; n += step) all.push(n);
  return all;
}

function axes(c, x) {
  const shared = { stroke: c.soft, font: `${c.text}px ${c.font}`, grid: { stroke: c.line, width: 1 }, ticks: { stroke: c.line, width: 1 } };
  return [
    { ...shared, grid: { show: false }, ...x },
    { ...shared, splits: whole, size: c.side },
  ];
}

const fromZero = (u, min, max) => [0, Math.max(1, max * 1.15)];

function lines(values, c) {
  return {
    data: [values.days, ...values.series.map((s) => s.values)],
    options: {
      axes: axes(c, { values: "{D} {MMM}", space: 70 }),
      scales: { y: { range: fromZero } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      series: [{ value: "{D} {MMM} {YYYY}", label: "Day" }, ...values.series.map((s, i) => ({
        label: s.name, stroke: c.series[i], width: 2, fill: c.series[i] + "22", points: { show: values.days.length < 40, size: 6, fill: c.series[i] },
      }))],
      legend: { show: true, markers: { show: false } },
    },
  };
}

// shorten keeps each line of a bar's label within its share of the width.
function shorten(text, width, pen) {
  if (pen.measureText(text).width <= width) return text;
  while (text.length > 1 && pen.measureText(text + "…").width > width) text = text.slice(0, -1);
  return text + "…";
}

// numbersAbove writes each bar's number above it.
function numbersAbove(c, series) {
  return (u) => {
    u.ctx.save();
    u.ctx.font = `600 ${c.text * devicePixelRatio}px ${c.font}`;
    u.ctx.fillStyle = c.ink;
    u.ctx.textAlign = "center";
    const slot = u.bbox.width / u.data[0].length;
    series.forEach((s, i) => s.values.forEach((n, at) => {
      const shift = series.length > 1 ? (i - 0.5) * slot * 0.35 : 0;
      u.ctx.fillText(n, u.valToPos(at, "x", true) + shift, u.valToPos(n, "y", true) - 6 * devicePixelRatio);
    }));
    u.ctx.restore();
  };
}

function bars(values, c) {
  const places = values.labels.map((_, i) => i);
  const single = values.series.length === 1;
  return {
    data: [places, ...values.series.map((s) => s.values)],
    options: {
      axes: axes(c, {
        splits: () => places,
        size: 56,
        values: (u) => {
          u.ctx.font = `${c.text}px ${c.font}`;
          const width = (u.width - c.side) / places.length - 2;
          return values.labels.map((label) => label.split(" ").map((word) => shorten(word, width, u.ctx)).join("\n"));
        },
      }),
      scales: { x: { time: false, range: [-0.5, places.length - 0.5] }, y: { range: fromZero } },
      series: [{}, ...values.series.map((s, i) => ({
        label: s.name, stroke: c.series[i], fill: c.series[i], width: 0, points: { show: false },
        paths: uPlot.paths.bars({ size: [single ? 0.6 : 0.35, 90], align: single ? 0 : i === 0 ? -1 : 1, radius: 0.08 }),
      }))],
      legend: { show: !single, live: false },
      cursor: { show: false },
      hooks: { draw: [numbersAbove(c, values.series)] },
    },
  };
}

function draw(place) {
  const values = JSON.parse(place.dataset.values);
  const { data, options } = (place.dataset.plot === "lines" ? lines : bars)(values, colours(place.clientWidth));
  place.replaceChildren();
  return new uPlot({ width: place.clientWidth, height: HEIGHT, ...options }, data, place);
}

for (const place of document.querySelectorAll("[data-plot]")) {
  let plot = draw(place);
  new ResizeObserver(() => {
    if (place.clientWidth > 0 && place.clientWidth !== plot.width) {
      plot.destroy();
      plot = draw(place);
    }
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    plot.destroy();
    plot = draw(place);
  });
}
