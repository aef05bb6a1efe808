/** The table of backends, and its buttons. */
export const BACKENDS: string = `
const backendRows = new Map();

function showBackends(backends) {
  const body = find(byId('backends'), 'tbody');
  const listed = new Set(backends.map((backend) => backend.url));
  const news = [];
  for (const [url, row] of backendRows) {
    if (listed.has(url)) continue;
    if (row.contains(document.activeElement)) byId('backends-title').focus();
    row.remove();
    backendRows.delete(url);
    news.push(url + ' is not listed any more');
  }
  const scale = scaleOf(Math.max(0, ...backends.flatMap((backend) => backend.calls)));
  backends.forEach((backend, at) => {
    const row = backendRows.get(backend.url) ?? newBackendRow(backend.url);
    if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
    const { state } = row.dataset;
    if (state !== undefined && state !== backend.state) news.push(backend.url + ' is ' + backend.state);
    row.dataset.state = backend.state;
    showBackend(row, backend, scale);
  });
  byId('backends').hidden = backends.length === 0;
  byId('no-backends').hidden = backends.length > 0;
  const down = backends.filter((backend) => backend.state === 'down').length;
  document.title = (down > 0 ? '(' + down + ' down) ' : '') + 'MCP sessions';
  if (news.length > 0) say(news.join(', '));
}

function newBackendRow(url) {
  const template = /** @type {HTMLTemplateElement} */ (byId('backend'));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
  setText(part(row, 'url'), url);
  part(row, 'button').dataset.url = url;
  backendRows.set(url, row);
  return row;
}

function showBackend(row, backend, scale) {
  setClass(row, backend.state === 'down' ? 'broken' : '');
  setText(part(row, 'id'), backend.id ?? '');
  const both = backend.state === 'down' && backend.draining;
  setText(part(row, 'state'), both ? 'down, draining' : backend.state);
  setClass(part(row, 'state'), 'state ' + backend.state);
  for (const name of ['opened', 'requests', 'streams', 'failures'])
    setText(part(row, name), count(backend[name]));
  setClass(part(row, 'failures'), 'number failures' + (backend.failures > 0 ? ' bad' : ''));
  setText(part(row, 'rate'), rateOf(backend.calls));
  draw(find(row, 'svg'), backend.calls, scale);
  const button = part(row, 'button');
  const action = backend.draining ? 'undrain' : 'drain';
  if (button.dataset.action === action) return;
  button.dataset.action = action;
  setText(button, backend.draining ? 'Undrain' : 'Drain');
  button.setAttribute('aria-label', button.textContent + ' ' + backend.url);
}

async function press(button) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  try {
    const answer = await fetch(base + button.dataset.action, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'MCP-Status-Gateway': gatewayId },
      body: JSON.stringify({ url: button.dataset.url }),
    });
    if (!answer.ok) say((await answer.text()) || 'It was answered by ' + answer.status);
  } catch {
    say('The gateway did not answer');
  }
  button.removeAttribute('aria-disabled');
}

byId('backends').addEventListener('click', (event) => {
  const button = /** @type {Element} */ (event.target).closest('button');
  if (button) void press(button);
});
`;
