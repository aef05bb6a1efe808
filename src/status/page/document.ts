import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/** Three dots, one of them apart. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%230969da'/%3E%3Cg fill='%23fff'%3E%3Ccircle cx='4' cy='8' r='1.8'/%3E%3Ccircle cx='11.5' cy='4' r='1.8'/%3E%3Ccircle cx='11.5' cy='12' r='1.8'/%3E%3C/g%3E%3C/svg%3E";

function numbers(): string {
  return [
    ['opened', 'Opened'],
    ['ended', 'Ended'],
    ['lost', 'Lost'],
    ['recovered', 'Recovered'],
    ['streams', 'Streams'],
    ['cached', 'Cached'],
    ['refused', 'Refused'],
    ['storeFailures', 'Store errors'],
  ]
    .map(([name, label]) => `<div><dt>${label}</dt><dd data-number="${name}">0</dd></div>`)
    .join('');
}

function kinds(): string {
  return ['pinned', 'new', 'modern', 'recovered', 'other', 'refused']
    .map((kind) => `<div><dt>${kind}</dt><dd data-kind="${kind}">0</dd></div>`)
    .join('');
}

/** Roles are written out, since a table that is shown as a list on a phone would lose them. */
function heads(...names: readonly (readonly [string, string?])[]): string {
  const cells = names.map(
    ([name, style = '']) => `<th scope="col" role="columnheader" class="${style}">${name}</th>`,
  );
  return `<thead role="rowgroup"><tr role="row">${cells.join('')}</tr></thead>`;
}

const BACKENDS = `
<section class="card" aria-labelledby="backends-title">
  <div class="head"><h2 id="backends-title" tabindex="-1">Backends</h2>
    <p class="quiet">as this gateway sees them; draining is its own, other gateways go on</p></div>
  <table id="backends" class="stack" role="table">
    <caption class="hidden">Backends, their state, and what this gateway sends to them</caption>
    ${heads(
      ['Backend'],
      ['State'],
      ['Sessions opened', 'number'],
      ['Open requests', 'number'],
      ['Open streams', 'number'],
      ['5xx, 1 min', 'number'],
      ['Calls per second'],
      ['<span class="hidden">Action</span>'],
    )}
    <tbody role="rowgroup"></tbody>
  </table>
  <p class="none" id="no-backends" hidden>The gateway has no list of backends: its proxy decides where requests go.</p>
</section>
<template id="backend">
  <tr role="row">
    <th scope="row" role="rowheader" class="name"><bdi class="code" data-is="url"></bdi><bdi class="quiet" data-is="id"></bdi></th>
    <td role="cell" data-label="State"><span data-is="state"></span></td>
    <td role="cell" class="number" data-label="Sessions" data-is="opened"></td>
    <td role="cell" class="number" data-label="Requests" data-is="requests"></td>
    <td role="cell" class="number" data-label="Streams" data-is="streams"></td>
    <td role="cell" class="number failures" data-label="5xx, 1 min" data-is="failures"></td>
    <td role="cell" class="rate" data-label="Calls per second"><span data-is="rate"></span><svg class="spark" viewBox="0 0 59 20" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="curve"/></svg></td>
    <td role="cell" class="act number"><button type="button" data-is="button"></button></td>
  </tr>
</template>`;

const DECISIONS = `
<div class="columns">
<section class="card" aria-labelledby="decisions-title">
  <div class="head"><h2 id="decisions-title">Recent requests</h2>
    <p class="quiet">newest first; sessions by a hash of their id</p></div>
  <table id="decisions" class="stack" role="table">
    <caption class="hidden">The last requests, and where they went</caption>
    ${heads(
      ['Time'],
      ['Decision'],
      ['Session'],
      ['Backend'],
      ['Method'],
      ['Status', 'number'],
      ['Took', 'number'],
    )}
    <tbody role="rowgroup"></tbody>
  </table>
  <p class="none" id="no-decisions">None yet.</p>
</section>
<section class="card" aria-labelledby="refusals-title">
  <div class="head"><h2 id="refusals-title">Refused requests</h2></div>
  <table id="refusals" role="table">
    <caption class="hidden">Requests that the gateway answered itself, by reason</caption>
    ${heads(['Reason'], ['Status', 'number'], ['1 min', 'number'], ['All', 'number'])}
    <tbody role="rowgroup"></tbody>
  </table>
  <p class="none" id="no-refusals">None.</p>
</section>
</div>`;

const BEFORE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>MCP sessions</title>
<link rel="icon" href="${ICON}">
`;

const BODY = `
<header>
  <h1>MCP sessions</h1>
  <span id="connection" class="state connecting">connecting</span>
  <span id="gateway" class="quiet grow"></span>
  <button type="button" id="pause" aria-pressed="false">Pause</button>
</header>
<main>
<p id="news" class="quiet" role="status"></p>
<noscript><p class="card">This page needs JavaScript.</p></noscript>
<section class="card" aria-labelledby="numbers-title">
  <div class="head"><h2 id="numbers-title">Sessions</h2>
    <p class="quiet">since the start; streams and cached sessions are those of now</p></div>
  <dl class="numbers">${numbers()}</dl>
</section>
<section class="card" aria-labelledby="calls-title">
  <div class="head"><h2 id="calls-title">Calls per second</h2><strong id="rate"></strong><span id="peak" class="quiet"></span></div>
  <svg class="chart" viewBox="0 0 59 20" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="curve"/></svg>
  <div class="ends quiet" aria-hidden="true"><span>60 s ago</span><span>now</span></div>
  <dl class="kinds"><div><dt>In the last minute</dt><dd data-kind="all">0</dd></div>${kinds()}</dl>
</section>
${BACKENDS}
${DECISIONS}
</main>
`;

/** The page; what it needs is in it, and runs by its nonce. */
export function documentWith(nonce: string): string {
  return [
    BEFORE,
    `<style nonce="${nonce}">${STYLE}</style>\n</head>\n<body>`,
    BODY,
    `<script nonce="${nonce}">${SCRIPT}</script>\n</body>\n</html>\n`,
  ].join('');
}
