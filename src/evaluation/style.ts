/** The report's style sheet, for light and for dark, for screens and for paper. */

export const styleSheet = `
:root {
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2230; --muted: #667085; --grid: #e6e9ef; --line: #dfe3ea;
  --live: #2563eb; --attack: #d9480f; --other: #7c3aed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11141a; --card: #1a1f28; --ink: #e8ebf0; --muted: #9aa4b2; --grid: #2b323e; --line: #2e3643;
    --live: #6ea8fe; --attack: #ff9457; --other: #b794f6;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 20px 80px; }
header { margin-bottom: 28px; }
.kicker { margin: 0; color: var(--muted); font-size: 13px; letter-spacing: .08em; text-transform: uppercase; }
h1 { margin: 4px 0 12px; font-size: 34px; line-height: 1.15; letter-spacing: -.02em; }
h1 em { font-style: normal; color: var(--live); }
.lead { max-width: 60em; margin: 0; font-size: 20px; line-height: 1.45; }
.cards { display: grid; grid-template-columns: repeat(3, 1fr); gap: 14px; margin-bottom: 20px; }
.card, section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.card { padding: 16px 18px; border-top: 4px solid var(--line); }
.card.main { border-top-color: var(--ink); }
.card.live { border-top-color: var(--live); }
.card.attack { border-top-color: var(--attack); }
.card p { margin: 0; }
.card .figure { font-size: 32px; font-weight: 650; letter-spacing: -.02em; line-height: 1.15; font-variant-numeric: tabular-nums; }
.card .name { font-weight: 600; }
.card .meaning { color: var(--muted); font-size: 14px; line-height: 1.4; }
section { padding: 24px 28px 28px; margin-top: 20px; }
h2 { margin: 0 0 4px; font-size: 21px; letter-spacing: -.01em; }
h3 { margin: 20px 0 8px; font-size: 16px; }
.explanation { margin: 0 0 16px; max-width: 62em; color: var(--muted); font-size: 15px; }
.explanation.after { margin: 16px 0 0; }
.scroll { overflow-x: auto; margin-top: 18px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { padding-bottom: 6px; text-align: left; font-weight: 600; }
th, td { padding: 7px 10px; border-bottom: 1px solid var(--line); text-align: right; vertical-align: baseline; white-space: nowrap; }
th:first-child { padding-left: 0; text-align: left; }
thead th { color: var(--muted); font-weight: 500; white-space: normal; }
thead th[colspan] { text-align: center; }
tbody th { font-weight: 500; }
tbody tr:last-child th, tbody tr:last-child td { border-bottom: 0; }
small { color: var(--muted); font-weight: 400; font-size: 12px; }
td.live { color: var(--live); font-weight: 600; }
td.attack { color: var(--attack); font-weight: 600; }
td.none { text-align: center; color: var(--muted); }
.none { color: var(--muted); }
.other { color: var(--other); font-weight: 600; }
h3.live { color: var(--live); }
h3.attack { color: var(--attack); }
figure { margin: 8px 0 0; }
figure svg { display: block; width: 100%; height: auto; max-width: 820px; margin: 0 auto; }
figure.narrow svg { max-width: 600px; }
.halves { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 36px; }
.halves p { margin: 0; font-size: 15px; }
.halves svg { max-width: 440px; margin: 6px 0 0; }
.halves b.live { color: var(--live); } .halves b.attack { color: var(--attack); }
figcaption { font-weight: 600; font-size: 15px; }
.grid { display: grid; grid-template-columns: 1fr 1fr; gap: 20px 28px; }
.grid > * { min-width: 0; }
.legend { margin: 0; font-size: 14px; }
.legend span { margin-right: 18px; }
.legend span::before { content: ""; display: inline-block; width: 11px; height: 11px; margin-right: 7px; border-radius: 50%; background: currentColor; }
.legend .live { color: var(--live); }
.legend .attack { color: var(--attack); }
details { margin-top: 14px; font-size: 14px; }
summary { cursor: pointer; color: var(--muted); }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 14px; }
.sheet figure { margin: 0; min-width: 0; }
.sheet img, .sheet .missing { display: block; width: 100%; height: auto; aspect-ratio: 1; border-radius: 8px; background: var(--grid); }
.sheet .missing { display: grid; place-items: center; color: var(--muted); font-size: 12px; }
.sheet figcaption { margin-top: 4px; font-weight: 400; font-size: 12px; color: var(--muted); overflow-wrap: anywhere; line-height: 1.3; }
.sheet b { color: var(--ink); }
.method dl { display: grid; grid-template-columns: 150px 1fr; gap: 10px 20px; margin: 12px 0 0; font-size: 14px; }
dt { font-weight: 600; }
dd { margin: 0; color: var(--muted); }
code { font-size: 12px; overflow-wrap: anywhere; }
@media (max-width: 760px) {
  .cards, .grid { grid-template-columns: 1fr 1fr; }
  .grid, .halves, .method dl { grid-template-columns: 1fr; }
  h1 { font-size: 27px; } .lead { font-size: 17px; } section { padding: 18px; }
}
@media print { body { background: none; } section, .card { break-inside: avoid; } }
`;
