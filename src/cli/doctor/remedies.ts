/** What to do about a failure, by how it is counted. */
const REMEDIES: readonly (readonly [what: RegExp, remedy: string])[] = [
  [/^ECONNREFUSED$/, 'Nothing listens there: is it running, and is the port right?'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'The name of the host is not known: is it spelt right?'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT)/,
    'The certificate is not trusted: give its authority by NODE_EXTRA_CA_CERTS, or --insecure.',
  ],
  [/^(EPROTO|ERR_SSL_)/, 'It does not speak TLS as it should: is it http://?'],
  [/^(ECONNRESET|EPIPE|broken off)$/, 'The connection is broken off: are the servers all up?'],
  [/^no answer in time$/, 'Give it longer by --timeout, or less to do by --concurrency.'],
  [/^HTTP 40[13]$/, 'It wants to know who asks: give --header "Authorization: Bearer ..."'],
  [/^HTTP 40[45]$/, 'Is this the path of the MCP endpoint, such as /mcp?'],
  [/^HTTP 429$/, 'It takes no more requests at a time: give a lower --concurrency, or --sessions.'],
  [/^HTTP 3\d\d$/, 'It sends clients elsewhere, which MCP clients may not follow: give that URL.'],
  [
    /^it knows no initialize$/,
    'Servers of 2026-07-28 alone stand beside others: clients of before need a gateway that knows which is which.',
  ],
  [/^HTTP 5\d\d$/, 'The servers, or what stands in front of them, fail: look at their logs.'],
];

const UNKNOWN = 'Look at the logs of the servers, and of what stands in front of them.';

/** For the most frequent failure of a count. */
export function remedyFor(tally: Readonly<Record<string, number>>): string {
  const [what = ''] = Object.keys(tally);
  return REMEDIES.find(([pattern]) => pattern.test(what))?.[1] ?? UNKNOWN;
}
