/** Every colour of a text has a contrast of 4.5 to 1, and more, to what is behind it, in both schemes. */
export const STYLE: string = `
:root {
  color-scheme: light dark;
  --page: #f6f8fa; --card: #fff; --line: #d1d9e0; --text: #1f2328; --quiet: #59636e;
  --accent: #0969da; --area: #ddeefc; --focus: #0969da;
  --up: #1a7f37; --draining: #8a5a00; --down: #c21c2b; --down-behind: #fff1f0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --card: #151b23; --line: #3d444d; --text: #e6edf3; --quiet: #9da7b1;
    --accent: #58a6ff; --area: #16304d; --focus: #79b8ff;
    --up: #4ac26b; --draining: #e0a82e; --down: #ff8077; --down-behind: #2b181c;
  }
}
*, ::before { box-sizing: border-box }
body {
  margin: 0; background: var(--page); color: var(--text); font-variant-numeric: tabular-nums;
  font: 14px/1.45 -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Helvetica, Arial, sans-serif;
}
header, main { max-width: 1120px; margin: 0 auto; padding: 0 20px }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 16px; padding-top: 20px }
h1, h2, p, dl, dd, table { margin: 0 }
h1 { font-size: 20px; line-height: 28px; font-weight: 600 }
h2 { font-size: 14px; line-height: 20px; font-weight: 600 }
[hidden] { display: none !important }
.quiet, caption, th, dt { color: var(--quiet) }
.grow { flex: 1 1 auto }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
main { display: grid; gap: 16px; padding-top: 12px; padding-bottom: 40px }
main > * { min-width: 0 }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; min-width: 0 }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 12px; margin-bottom: 8px }
#news { min-height: 20px }
button {
  font: inherit; color: var(--text); background: transparent; border: 1px solid var(--quiet); border-radius: 6px;
  padding: 3px 12px; min-height: 30px; min-width: 84px; cursor: pointer;
}
button:hover { background: var(--page) }
button[aria-disabled=true] { opacity: .6; cursor: progress }
button[aria-pressed=true] { border-color: var(--accent); color: var(--accent) }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px }
.state { font-weight: 600; white-space: nowrap }
.state::before { content: ''; display: inline-block; width: 9px; height: 9px; margin-right: 7px; border-radius: 50%; background: currentColor }
.live, .up { color: var(--up) }
.draining, .paused, .connecting { color: var(--draining) }
.down, .lost, .bad { color: var(--down) }
.draining::before { border-radius: 2px }
.down::before, .lost::before { border-radius: 0; transform: rotate(45deg) scale(.9) }
.numbers { display: grid; grid-template-columns: repeat(8, 1fr); gap: 10px 16px }
.numbers div { align-self: end }
.numbers dd { font-size: 20px; line-height: 28px; font-weight: 600 }
.numbers dt { font-size: 13px }
.chart { display: block; width: 100%; height: 72px; border-bottom: 1px solid var(--line) }
.area { fill: var(--area) }
.curve { vector-effect: non-scaling-stroke; fill: none; stroke: var(--accent); stroke-width: 1.5; stroke-linejoin: round }
.ends { display: flex; justify-content: space-between; font-size: 12px; margin-top: 2px }
.kinds { display: flex; flex-wrap: wrap; gap: 2px 18px; margin-top: 10px }
.kinds div { display: flex; gap: 6px }
.kinds dd { font-weight: 600 }
table { width: 100%; border-collapse: collapse }
caption { text-align: left; font-size: 13px; padding-bottom: 6px }
th, td { padding: 5px 12px 5px 0; text-align: left; vertical-align: middle; font-weight: 400 }
thead th { font-size: 12px; line-height: 16px; vertical-align: bottom; border-bottom: 1px solid var(--line) }
tbody tr + tr > * { border-top: 1px solid color-mix(in srgb, var(--line) 55%, transparent) }
tr > :last-child { padding-right: 0 }
.number { text-align: right }
.name { color: var(--text); overflow-wrap: anywhere }
.name .quiet { display: block; font-size: 12px; line-height: 16px }
#backends td, #backends tbody th { height: 42px }
#backends .broken { background: var(--down-behind); box-shadow: inset 3px 0 var(--down) }
#backends tbody th { padding-left: 10px }
#backends thead th:first-child { padding-left: 10px }
.rate { white-space: nowrap }
.rate span { display: inline-block; min-width: 40px; text-align: right }
.spark { display: inline-block; width: 120px; height: 26px; vertical-align: middle; margin-left: 10px; border-bottom: 1px solid var(--line) }
.code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Noto Sans Mono', 'DejaVu Sans Mono', monospace; font-size: 12.5px }
.columns { display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr) 300px; align-items: start }
#decisions td { white-space: nowrap; font-size: 13px; padding-top: 3px; padding-bottom: 3px }
#decisions .where { white-space: normal; overflow-wrap: anywhere; min-width: 110px }
.why { display: block; font-size: 12px; line-height: 15px }
.none { color: var(--quiet); padding: 8px 0 }
@media (max-width: 1000px) {
  .columns { grid-template-columns: minmax(0, 1fr) }
  .spark { width: 72px }
  #backends .name { min-width: 190px }
}
@media (max-width: 780px) {
  header, main { padding-left: 12px; padding-right: 12px }
  .card { padding: 12px }
  .numbers { grid-template-columns: repeat(4, 1fr) }
  button { min-height: 40px }
  .stack, .stack tbody, .stack caption { display: block }
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  .stack td, .stack tbody th { padding: 0 }
  .stack tbody tr + tr { border-top: 1px solid var(--line) }
  .stack tbody tr + tr > * { border-top: 0 }
  .stack [data-label]::before { content: attr(data-label); display: block; color: var(--quiet); font-size: 12px; line-height: 16px }
  #backends tr { display: grid; grid-template-columns: 1.5fr 1fr 1fr 1fr; gap: 8px 10px; align-items: center; padding: 10px 8px }
  #backends td, #backends tbody th { height: auto; padding: 0 }
  #backends .name { grid-area: 1 / 1 / 2 / 4; min-width: 0 }
  #backends .state { white-space: normal }
  #backends .act { grid-area: 1 / 4; justify-self: end }
  #backends .number { text-align: left }
  #backends .rate { grid-area: 3 / 1 / 4 / 4; display: flex; flex-wrap: wrap }
  #backends .rate::before { width: 100% }
  #backends .rate span { min-width: 40px; text-align: left }
  #backends .failures { grid-area: 3 / 4; align-self: start }
  .spark { flex: 1; margin-left: 0 }
  #decisions tr { display: flex; flex-wrap: wrap; gap: 0 8px; padding: 5px 0 }
  #decisions tr::before { content: ''; order: 1; flex: 0 0 100% }
  #decisions .kind { flex: 1 }
  #decisions .number { min-width: 28px }
  #decisions .took { min-width: 56px }
  #decisions .session { order: 2 }
  #decisions .where { order: 2; flex: 1; text-align: right }
}
`;
