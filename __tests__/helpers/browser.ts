import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { requireBrowser } from '../../scripts/ensure-browser.mjs';
import { onCleanup } from './cleanup.ts';

/** Nothing but what a test asks for: no sandbox, which root cannot have, and no talk with anybody. */
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** Starts a browser, with a profile of its own. */
export async function startBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: requireBrowser(), args: ARGUMENTS });
  onCleanup(() => browser.close());
  return browser;
}

export interface Visit {
  readonly page: Page;
  /** Errors and warnings of the console, and what was thrown. */
  readonly complaints: string[];
  /** The URL of every request. */
  readonly requests: string[];
}

/** Opens a page as somebody who has never been here. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext(options);
  onCleanup(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => void complaints.push(String(error)));
  page.on('request', (request) => void requests.push(request.url()));
  await page.goto(url);
  return { page, complaints, requests };
}
