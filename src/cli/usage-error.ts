/** What was given on the command line, or in the environment, cannot be; the message says what to give instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
