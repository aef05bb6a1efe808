import { readFileSync } from 'node:fs';

/** The user that docs/security.md prints, with any keys and channels: tests choose their own. */
export const ACL_USER = 'mcp-gateway';
export const ACL_PASSWORD = 'of-the-tests';

/** The words of `ACL SETUSER mcp-gateway` in docs/security.md. */
export function documentedRules(): string[] {
  const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');
  const [, rules = ''] = /^ACL SETUSER mcp-gateway (.*)$/m.exec(page) ?? [];
  return rules.replace('>PASSWORD', `>${ACL_PASSWORD}`).split(' ');
}

/** Arguments of redis-server. A replica must have confirmed writes in some tests. */
export function aclArguments(): string[] {
  const anywhere = documentedRules().map((rule) => rule.replace(/^([~&]).*/, '$1*'));
  return ['--user', ACL_USER, ...anywhere, '+wait'];
}
