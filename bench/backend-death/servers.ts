import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findProgram, install, mayInstall } from '../../scripts/apt.mjs';

const PACKAGES = ['haproxy', 'nginx', 'libnginx-mod-http-lua'];
/** Where Debian puts servers; users other than root do not have it in PATH. */
const SBIN = ['/usr/local/sbin', '/usr/sbin'];

export interface Servers {
  readonly haproxy: string;
  readonly nginx: string;
  /** Lines for the configuration of nginx; empty where Lua is built in (OpenResty). */
  readonly loadModules: string;
  readonly versions: { readonly haproxy: string; readonly nginx: string };
}

/** Finds HAProxy and nginx with Lua, installs them where it may, or throws with the remedy. */
export function requireServers(): Servers {
  // Where systemd runs, their packages would start them as services.
  if (!findServers() && mayInstall() && !existsSync('/run/systemd/system')) {
    console.error(`installing ${PACKAGES.join(', ')} with apt-get`);
    install(PACKAGES);
  }
  const servers = findServers();
  if (servers) return servers;
  throw new Error(
    `This needs HAProxy and nginx with Lua (Debian: apt-get install ${PACKAGES.join(' ')}).`,
  );
}

function findServers(): Servers | undefined {
  const haproxy = findProgram(['haproxy'], SBIN);
  const nginx = findProgram(['nginx', 'openresty'], SBIN);
  if (haproxy === undefined || nginx === undefined) return undefined;
  const build = output(nginx, '-V');
  const loadModules = linesThatLoadLua(build);
  if (loadModules === undefined) return undefined;
  const versions = {
    haproxy: /version (\S+)/.exec(output(haproxy, '-v'))?.[1] ?? '?',
    nginx: /version: \S+?\/(\S+)/.exec(build)?.[1] ?? '?',
  };
  return { haproxy, nginx, loadModules, versions };
}

function linesThatLoadLua(build: string): string | undefined {
  if (/ngx_lua|lua-nginx-module/.test(build)) return '';
  const folder = /--modules-path=(\S+)/.exec(build)?.[1] ?? '';
  const files = ['ndk_http_module.so', 'ngx_http_lua_module.so'].map((name) =>
    path.join(folder, name),
  );
  if (!files.every((file) => existsSync(file))) return undefined;
  return files.map((file) => `load_module ${file};`).join('\n');
}

function output(command: string, flag: string): string {
  const { stdout, stderr } = spawnSync(command, [flag], { encoding: 'utf8' });
  return `${stdout}${stderr}`;
}
