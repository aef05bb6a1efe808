import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

/** How long a backend may take to show that it is there (ms). */
const PROBE_TIMEOUT = 2000;

/**
 * Resolves if the backend accepts a connection or, with a path, answers a GET of it with 2xx.
 *
 * A certificate is not checked: nothing is told to the backend that could be kept from a stranger, and nothing it
 * says is believed but that it is there.
 */
export function probe(
  origin: string,
  path: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  return path === undefined ? connects(origin, signal) : answers(new URL(path, origin), signal);
}

function connects(origin: string, signal: AbortSignal): Promise<void> {
  const url = new URL(origin);
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, signal, timeout: PROBE_TIMEOUT });
    socket.once('timeout', () => socket.destroy(new Error('no connection in time')));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

function answers(url: URL, signal: AbortSignal): Promise<void> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT)]);
  const options = { agent: false, rejectUnauthorized: false, signal: inTime };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).get(url, options, (response) => {
      const { statusCode = 0 } = response;
      response.on('error', () => {});
      response.destroy();
      if (statusCode >= 200 && statusCode < 300) resolve();
      else reject(new Error(`status ${statusCode}`));
    });
    request.on('error', reject);
  });
}
