// Jest's globalSetup of the browser tests. JavaScript, because Node 20 cannot import TypeScript here.
import { findProgram, install, mayInstall } from './apt.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const REMEDY =
  'These tests need a real browser: put chromium or google-chrome in PATH (Debian: apt-get install chromium).';

/** @returns {string | undefined} the path of the first Chromium or Chrome in PATH */
export function findBrowser() {
  return findProgram(NAMES);
}

/** @returns {string} the path of a browser, or throws with the remedy */
export function requireBrowser() {
  const browser = findBrowser();
  if (browser === undefined) throw new Error(REMEDY);
  return browser;
}

export default function ensureBrowser() {
  if (findBrowser() === undefined && mayInstall()) {
    console.error('No browser in PATH: installing the package chromium with apt-get');
    install(['chromium']);
  }
  requireBrowser();
}
