"""Style and script of the report."""

from __future__ import annotations

from realign_core.figures.theme import DARK, FONT, LIGHT, Palette


def _variables(p: Palette) -> str:
    pairs = {
        "bg": p.background,
        "ink": p.ink,
        "muted": p.muted,
        "line": p.grid,
        "target": p.target,
        "source": p.source,
        "good": p.methods["realign"],
    }
    return "".join(f"--{name}:{value};" for name, value in pairs.items())


STYLE = (
    ":root{color-scheme:light dark;" + _variables(LIGHT) + "}"
    "@media (prefers-color-scheme:dark){:root{" + _variables(DARK) + "}}"
    "@media print{:root{color-scheme:light;" + _variables(LIGHT) + "}}"
    f"body{{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 {FONT}}}"
    """
main{max-width:1200px;margin:0 auto;padding:24px 32px 64px}
h1{font-size:15px;font-weight:600;color:var(--muted);margin:0 0 4px}
.lead{font-size:27px;line-height:1.28;font-weight:600;margin:0 0 14px;max-width:44em;text-wrap:pretty}
h2{font-size:21px;margin:44px 0 8px;padding-top:14px;border-top:2px solid var(--ink)}
h3{font-size:17px;margin:0 0 2px}
h3.next{margin-top:28px}
h3.list{margin-top:14px}
p{margin:0 0 10px;max-width:75ch}
.muted,figcaption p,.note{color:var(--muted)}
figcaption p{font-size:14px;margin:0 0 4px}
#sphere{grid-row:span 2}
.opening{gap:8px 48px;margin-top:0}
.opening figure{grid-column:1/-1}
ul.findings{font-size:15px}
nav a{margin-right:18px}
a{color:inherit;text-underline-offset:3px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:12px 24px;margin:18px 0}
.facts dt{font-size:13px;color:var(--muted)}
.facts dd{margin:0;font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}
.facts dd small{display:block;font-size:13px;font-weight:400;color:var(--muted)}
ul.findings{margin:0 0 12px;padding-left:20px;max-width:85ch}
ul.findings li{margin:0 0 6px}
.grid{display:grid;grid-template-columns:1fr 1fr;gap:32px 36px;margin-top:24px}
.grid>*{min-width:0}
.wide{grid-column:1/-1}
figure{margin:0;break-inside:avoid}
.plot{margin-top:6px;width:100%}
details{font-size:14px;margin-top:4px}
summary{cursor:pointer;color:var(--muted);width:max-content;max-width:100%;padding:2px 0}
summary:hover,summary:focus-visible{color:var(--ink)}
figure details{display:inline-block;vertical-align:top;margin-right:20px}
figure details[open]{display:block}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums;margin:6px 0}
th,td{text-align:right;padding:5px 10px;border-bottom:1px solid var(--line);vertical-align:top}
th:first-child,td:first-child{text-align:left;padding-left:0}
thead th{vertical-align:bottom;font-weight:600}
td small{display:block;color:var(--muted);font-size:12px;white-space:nowrap}
td.text,th.text{text-align:left}
.best small{font-weight:400}
.best b::before{content:"✓ ";color:var(--good)}
.tied>span{color:var(--muted)}
.tied>span::before{content:"≈ "}
.badge{display:inline-block;font-size:12px;font-weight:400;border:1px solid var(--muted);border-radius:9px;
padding:0 7px;margin:1px 4px 1px 0;color:var(--ink);white-space:nowrap}
.methods{width:100%}
.methods th,.methods td{padding:5px 7px}
.methods thead th{font-size:13px}
dl.terms{margin:6px 0}
dl.terms dt{font-weight:600;margin-top:8px}
dl.terms dd{margin:0;max-width:80ch}
code,pre{font-family:ui-monospace,monospace;font-size:14px}
pre{border:1px solid var(--line);border-radius:6px;padding:12px;white-space:pre-wrap;overflow-wrap:anywhere}
.key{display:inline-block;width:11px;height:11px;margin-right:6px}
.key.t{background:var(--target);border-radius:50%}
.key.s{background:var(--source);transform:rotate(45deg) scale(.85)}
@media (max-width:900px){.grid{grid-template-columns:1fr}main{padding:16px}}
@media print{main{max-width:none;padding:0}.grid{display:block}.grid figure{margin:0 0 20px}
.opening{columns:2}.opening figure{column-span:all}nav{display:none}
h2{break-after:avoid}body{font-size:12px}.modebar-container{display:none}
.methods{font-size:10px}.methods th,.methods td{padding:3px 4px}}
"""
)

SCRIPT = """
(() => {
  const PAPER = 690;
  const specs = JSON.parse(document.getElementById("figures").textContent);
  // plotly.js offers to upload a chart to its maker: no button, no address.
  const config = {plotlyServerURL: "", showSendToCloud: false, responsive: true, displaylogo: false,
    displayModeBar: "hover", showTips: false,
    modeBarButtonsToRemove: ["sendChartToCloud", "sendDataToCloud", "lasso2d", "select2d", "autoScale2d",
      "zoomIn2d", "zoomOut2d", "zoom3d", "pan3d", "orbitRotation", "tableRotation",
      "resetCameraLastSave3d", "hoverClosest3d"]};
  const query = window.matchMedia("(prefers-color-scheme: dark)");
  let dark = query.matches;
  let paper = false;
  // A dark figure is the light one with some values replaced; only those travel.
  const themed = (spec) => {
    const figure = structuredClone(spec.figure);
    for (const [path, value] of dark ? spec.dark : []) {
      let place = figure;
      for (const key of path.slice(0, -1)) place = place[key];
      place[path[path.length - 1]] = value;
    }
    figure.config = config;
    if (paper) figure.layout.width = PAPER;
    return figure;
  };
  const draw = (id) => {
    const figure = themed(specs[id]);
    const shown = document.getElementById(id)._fullLayout;
    const step = shown && shown.sliders.length ? shown.sliders[0].active : 0;
    if (step) figure.layout.sliders[0].active = step;
    Plotly.react(id, figure).then(() => {
  const PAPER = 690;
      if (step) Plotly.animate(id, [figure.frames[step].name], figure.layout.sliders[0].steps[step].args[1]);
    });
  };
  const all = () => Object.keys(specs).forEach(draw);
  const turn = (toDark, toPaper) => {
    if (dark === toDark && paper === toPaper) return;
    dark = toDark; paper = toPaper;
    all();
  };
  query.addEventListener("change", (event) => turn(event.matches, paper));
  // Paper is white, and its figures one below the other.
  window.addEventListener("beforeprint", () => turn(false, true));
  window.addEventListener("afterprint", () => turn(query.matches, false));
  const queue = Object.keys(specs);
  const next = () => {
    if (queue.length) { draw(queue.shift()); setTimeout(next, 0); }
    else document.documentElement.dataset.drawn = "yes";
  };
  next();
})();
"""
