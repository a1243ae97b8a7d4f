"use strict";
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 40rem)");
  const plots = [...document.querySelectorAll(".plot")];

  // Figures are drawn without colours of their own for text: those follow the page.
  const ink = (onPaper) => (dark.matches && !onPaper ? "#e6edf3" : "#1b1f24");
  const themed = (onPaper) => {
    const colour = ink(onPaper), menu = dark.matches && !onPaper ? "#161b22" : "#ffffff";
    return { "font.color": colour, "hoverlabel.bgcolor": menu, "hoverlabel.font.color": colour,
             "updatemenus[0].bgcolor": menu, "updatemenus[0].font.color": colour };
  };
  const paint = (onPaper) => plots.forEach((plot) => {
    const changes = themed(onPaper === true);
    if (!plot.layout.updatemenus?.length) {
      delete changes["updatemenus[0].bgcolor"];
      delete changes["updatemenus[0].font.color"];
    }
    Plotly.relayout(plot, changes);
  });

  const fitPhone = (figure) => {
    figure.layout.margin = { ...figure.layout.margin, l: 45, r: 10 };
    figure.layout.font.size = 11;
    for (const trace of figure.data) {  // what colours mean, the caption says
      for (const part of [trace, trace.marker]) if (part?.colorbar) part.showscale = false;
    }
  };

  // On paper nothing scrolls, opens or answers: figures as wide as the sheet, everything unfolded.
  const sheet = 680, folded = [...document.querySelectorAll("details:not([open])")];
  const unfold = (open) => folded.forEach((part) => { part.open = open; });
  const resize = (onPaper) => plots.forEach((plot) => {
    plot.dataset.width ??= plot.layout.width && !plot._fullLayout.autosize ? plot.layout.width : "";
    const width = onPaper ? sheet : +plot.dataset.width || null;
    Plotly.relayout(plot, { width, autosize: !width });
  });

  const draw = async (plot) => {
    const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
    const least = figure.layout.meta?.least ?? 0;  // narrower it cannot be read: the page scrolls it
    if (plot.clientWidth < least) figure.layout.width = least;
    if (narrow.matches) fitPhone(figure);
    // The button that sends a chart to Plotly's cloud is there unless it is forbidden.
    const config = { responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "",
                     modeBarButtonsToRemove: ["lasso2d", "select2d"] };
    await Plotly.newPlot(plot, figure.data, figure.layout, config);
    plot.dataset.drawn = "yes";
  };

  const sortable = (table) => {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    const value = (row, column) => row.cells[column].textContent.trim();
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].sort((one, other) => {
        const a = value(one, column), b = value(other, column);
        if (!a || !b) return !a - !b;  // what is missing comes last, whichever way
        const difference = isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
        return sign * difference;
      });
      body.append(...rows);
    }));
  };

  const filterable = (table, input, status) => input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    status.textContent = words.length ? `${shown} trials` : "";
  });

  const table = document.getElementById("trial-table");
  sortable(table);
  filterable(table, document.getElementById("filter"), document.getElementById("matching"));
  Promise.all(plots.map(draw)).then(() => {
    paint();
    dark.addEventListener("change", () => paint());
    window.addEventListener("beforeprint", () => { unfold(true); resize(true); paint(true); });
    window.addEventListener("afterprint", () => { unfold(false); resize(false); paint(); });
    document.documentElement.dataset.ready = "yes";
  });
})();
