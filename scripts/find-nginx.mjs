// JavaScript, as apt.mjs is.
import { existsSync } from 'node:fs';
import { findProgram, install, mayInstall } from './apt.mjs';

/** Where Debian puts servers; users other than root do not have it in PATH. */
const SBIN = ['/usr/local/sbin', '/usr/sbin'];

/** Installs nginx where it may. @returns {string} its path, or throws with the remedy */
export function requireNginx() {
  const find = () => findProgram(['nginx'], SBIN);
  // Where systemd runs, the package would start it as a service.
  if (find() === undefined && mayInstall() && !existsSync('/run/systemd/system')) {
    console.error('No nginx: installing the package nginx with apt-get');
    install(['nginx']);
  }
  const nginx = find();
  if (nginx !== undefined) return nginx;
  throw new Error(
    'This test needs a real nginx: put it in PATH (Debian: apt-get install nginx; macOS: brew install nginx).',
  );
}
