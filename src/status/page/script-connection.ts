/** The event stream: shows what it brings, and connects again when it is lost. */
export const CONNECTION: string = `
/** Wherever the page is mounted, with a slash behind it or without. */
const base = location.origin + location.pathname.replace(/[/]?$/, '/');
/** A snapshot comes each second: after this long without one (ms) the connection counts as lost. */
const PATIENCE = 4000;

let source;
let gatewayId = '';
let latest;
let paused = false;
let seenAt = -Infinity;
let triedAt = -Infinity;

function connect() {
  triedAt = performance.now();
  source?.close();
  source = new EventSource(base + 'events');
  source.addEventListener('message', (event) => {
    seenAt = performance.now();
    latest = JSON.parse(event.data);
    if (!paused) show(latest);
    showConnection();
  });
}

function show(snapshot) {
  if (gatewayId !== '' && gatewayId !== snapshot.gateway.id) {
    say('This is another gateway now, or it has started anew');
    forgetDecisions();
    refusalRows.forEach((row) => row.remove());
    refusalRows.clear();
  }
  gatewayId = snapshot.gateway.id;
  showNumbers(snapshot);
  showBackends(snapshot.backends);
  showRefusals(snapshot.refusals);
  showDecisions(snapshot.decisions);
}

function showConnection() {
  const node = byId('connection');
  const before = node.dataset.state ?? 'connecting';
  const isLive = performance.now() - seenAt < PATIENCE;
  const state = isLive ? (paused ? 'paused' : 'live') : before === 'connecting' ? before : 'lost';
  if (state === before) return;
  node.dataset.state = state;
  setClass(node, 'state ' + state);
  setText(node, state === 'lost' ? 'lost, retrying' : state);
  if (before === 'connecting') say('Nothing has changed yet');
  if (state === 'lost') say('The connection to the gateway is lost');
  if (state === 'live' && before === 'lost') say('The gateway answers again');
}

function pause() {
  paused = !paused;
  byId('pause').setAttribute('aria-pressed', String(paused));
  if (!paused && latest) show(latest);
  showConnection();
}

/** A browser gives up where it is answered by anything but a stream, and does not notice that nothing comes. */
function watch() {
  const now = performance.now();
  showConnection();
  if (now - seenAt > PATIENCE && now - triedAt > PATIENCE) connect();
}

byId('pause').addEventListener('click', pause);
document.addEventListener('visibilitychange', watch);
setInterval(watch, 1000);
connect();
`;
