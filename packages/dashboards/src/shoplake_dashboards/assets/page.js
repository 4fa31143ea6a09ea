"use strict";
// Draws every chart of the page in the reader's theme, again when the theme changes. It asks for nothing from outside.
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // A choice outlives the page where the browser lets it: a served page is left with every link.
  const kept = "shoplake-theme";
  let chosen = null;
  try { chosen = localStorage.getItem(kept); } catch { /* no storage here */ }
  if (chosen !== "dark" && chosen !== "light") chosen = null;
  const views = new Map();

  const theme = () => chosen ?? (dark.matches ? "dark" : "light");

  // What may hold texts of the data or of the author is no place for a colour role.
  const UNTOUCHED = new Set(["data", "description", "domain", "sort", "title"]);
  const themed = (node, colours) => {
    if (typeof node === "string") return Object.hasOwn(colours, node) ? colours[node] : node;
    if (Array.isArray(node)) return node.map((entry) => themed(entry, colours));
    if (node === null || typeof node !== "object") return node;
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => [key, UNTOUCHED.has(key) ? value : themed(value, colours)]),
    );
  };

  const options = {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    ast: true,
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
    loader: { target: "_self" },
  };

  const draw = async (id) => {
    const place = document.getElementById(`${id}-chart`);
    if (!place) return;
    try {
      views.get(id)?.finalize();
      const result = await vegaEmbed(place, themed(content.specs[id], content.themes[theme()]), options);
      views.set(id, result);
      // The frame speaks for the picture: a reader of screens gets one name and the rows below it, not every mark.
      for (const svg of place.querySelectorAll("svg")) svg.setAttribute("aria-hidden", "true");
      for (const link of place.querySelectorAll("svg a")) link.setAttribute("tabindex", "-1");
    } catch (error) {
      place.textContent = "The chart could not be drawn. Its rows are below.";
      place.classList.add("state", "state-error");
      place.parentElement.querySelector("details")?.setAttribute("open", "");
      console.error(id, error);
    }
  };

  const drawAll = async () => {
    document.documentElement.dataset.theme = theme();
    button.removeAttribute("aria-pressed"); // it says what it will do, not what is on
    button.textContent = theme() === "dark" ? "Light theme" : "Dark theme";
    await Promise.all(Object.keys(content.specs).map(draw));
    document.documentElement.dataset.drawn = theme();
  };

  button.addEventListener("click", () => {
    chosen = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem(kept, chosen); } catch { /* no storage here */ }
    drawAll();
  });
  dark.addEventListener("change", drawAll);

  for (const download of document.querySelectorAll("button[data-csv]")) {
    download.addEventListener("click", () => {
      const link = document.createElement("a");
      const id = download.dataset.csv;
      link.href = URL.createObjectURL(new Blob(["\ufeff", content.csv[id]], { type: "text/csv" }));
      link.download = `${content.name}_${id}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }
  // Boxes of values close when the reader goes elsewhere.
  const boxes = [...document.querySelectorAll("details.choice")];
  const closeBut = (place) => { for (const box of boxes) if (!box.contains(place)) box.open = false; };
  document.addEventListener("click", (event) => closeBut(event.target));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeBut(null); });
  drawAll();
})();
