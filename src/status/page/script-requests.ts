/** The tables of recent requests and of those that were refused. */
export const REQUESTS: string = `
const MOST_SHOWN = 50;
let newest = -1;

function cell(text, style) {
  const node = document.createElement('td');
  node.setAttribute('role', 'cell');
  node.className = style;
  node.textContent = text;
  return node;
}

function newRow(cells) {
  const row = document.createElement('tr');
  row.setAttribute('role', 'row');
  row.append(...cells);
  return row;
}

function decisionRow(decision) {
  const { status, reason } = decision;
  const kind = cell(decision.kind, decision.kind === 'refused' ? 'kind bad' : 'kind');
  if (reason) {
    const why = document.createElement('span');
    why.className = 'why code';
    why.textContent = reason;
    kind.append(why);
  }
  const failed = status === undefined || status >= 500;
  return newRow([
    cell(timeOf(decision.at), 'quiet'),
    kind,
    cell(decision.session ?? '', 'session code'),
    cell(decision.backend ?? '', 'where code'),
    cell(decision.method, 'method'),
    cell(status ?? 'left', 'number' + (failed ? ' bad' : '')),
    cell(took(decision.duration), 'number took quiet'),
  ]);
}

function showDecisions(decisions) {
  const body = find(byId('decisions'), 'tbody');
  const fresh = decisions.filter((decision) => decision.number > newest);
  if (fresh.length === 0) return;
  newest = fresh[fresh.length - 1].number;
  body.prepend(...fresh.map(decisionRow).toReversed());
  while (body.children.length > MOST_SHOWN) body.lastElementChild.remove();
  byId('no-decisions').hidden = true;
}

function forgetDecisions() {
  find(byId('decisions'), 'tbody').replaceChildren();
  byId('no-decisions').hidden = false;
  newest = -1;
}

const refusalRows = new Map();

function showRefusals(refusals) {
  for (const { reason, status, recent, count: all } of refusals) {
    let row = refusalRows.get(reason);
    if (!row) {
      row = newRow([cell(reason, 'code name'), cell(status, 'number'), cell('', ''), cell('', 'number')]);
      refusalRows.set(reason, row);
      find(byId('refusals'), 'tbody').append(row);
    }
    setText(row.children[2], count(recent));
    setClass(row.children[2], 'number' + (recent > 0 ? ' bad' : ''));
    setText(row.children[3], count(all));
  }
  byId('refusals').hidden = refusals.length === 0;
  byId('no-refusals').hidden = refusals.length > 0;
}
`;
