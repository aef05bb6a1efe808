import { BACKENDS } from './script-backends.ts';
import { CONNECTION } from './script-connection.ts';
import { REQUESTS } from './script-requests.ts';

/**
 * What the page shows is from outside, names of backends for one: it is put in as text only, never as HTML. Elements
 * stay where they are and get new texts, so that the focus stays, and a selection.
 */
const TOOLS = `
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @type {(root: ParentNode, selector: string) => HTMLElement} */
const find = (root, selector) => root.querySelector(selector);
/** @type {(root: ParentNode, name: string) => HTMLElement} */
const part = (root, name) => find(root, '[data-is=' + name + ']');

function setText(node, text) {
  const shown = String(text);
  if (node.textContent !== shown) node.textContent = shown;
}

function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

const whole = new Intl.NumberFormat('en');
const count = (value) => whole.format(value);
const rateOf = (calls) => {
  const mean = calls.slice(-5).reduce((sum, each) => sum + each, 0) / 5;
  return mean === 0 || mean >= 10 ? count(Math.round(mean)) : mean.toFixed(1);
};

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const timeOf = (at) => clock.format(new Date(at));

function took(ms) {
  if (ms < 1000) return Math.round(ms) + ' ms';
  if (ms < 60000) return (ms / 1000).toFixed(1) + ' s';
  return lasting(ms);
}

function lasting(ms) {
  const minutes = Math.floor(ms / 60000);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days > 0) return days + ' d ' + hours + ' h';
  if (hours > 0) return hours + ' h ' + (minutes % 60) + ' min';
  return minutes > 0 ? minutes + ' min' : Math.floor(ms / 1000) + ' s';
}

/** The top of a chart: not below the most, and not another one each second. */
function scaleOf(most) {
  let step = 1;
  for (;;) {
    for (const times of [1, 1.5, 2, 3, 4, 6]) if (step * times >= Math.max(most, 4)) return step * times;
    step *= 10;
  }
}

function draw(svg, calls, scale) {
  const points = calls.map((value, at) => at + ' ' + (20 - (value / scale) * 19).toFixed(2));
  const curve = 'M' + points.join('L');
  find(svg, '.curve').setAttribute('d', curve);
  find(svg, '.area').setAttribute('d', curve + 'L59 20L0 20Z');
}

/** What has changed is said to those who do not see it, and shown with its time to those who do. */
function say(text) {
  setText(byId('news'), timeOf(Date.now()) + '  ' + text);
}
`;

const NUMBERS = `
function showNumbers({ numbers, calls, kinds, gateway, at }) {
  for (const [name, value] of Object.entries(numbers)) {
    const node = find(document, '[data-number=' + name + ']');
    setText(node, count(value));
    setClass(node, name === 'storeFailures' && value > 0 ? 'bad' : '');
  }
  const all = Object.values(kinds).reduce((sum, each) => sum + each, 0);
  for (const [kind, value] of Object.entries({ all, ...kinds })) {
    const node = find(document, '[data-kind=' + kind + ']');
    if (node) setText(node, count(value));
  }
  const scale = scaleOf(Math.max(...calls));
  setText(byId('rate'), rateOf(calls));
  setText(byId('peak'), 'at most ' + count(Math.max(...calls)) + ' in the last minute');
  draw(find(document, '.chart'), calls, scale);
  setText(byId('gateway'), gateway.host + ', process ' + gateway.pid + ', up ' + lasting(at - gateway.since));
}
`;

/** Plain JavaScript for browsers of 2023 and later. */
export const SCRIPT: string = `'use strict';(() => {
${TOOLS}${NUMBERS}${BACKENDS}${REQUESTS}${CONNECTION}
})();`;
