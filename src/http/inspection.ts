/** How long the body of an answer is waited for: the client waits as well (ms). */
const DEADLINE = 2000;

/** Collects the body of an answer until it can be read: as a whole, or not at all. */
export class Inspection {
  readonly #maxBytes: number;
  readonly #onRead: (body: Buffer | undefined) => void;
  readonly #timer: NodeJS.Timeout;
  #parts: Buffer[] = [];
  #size = 0;

  /** `onRead` is called once; with `undefined` for a body that is longer than `maxBytes`, or takes too long. */
  constructor(maxBytes: number, onRead: (body: Buffer | undefined) => void) {
    this.#maxBytes = maxBytes;
    this.#onRead = onRead;
    this.#timer = setTimeout(() => this.#end(undefined), DEADLINE).unref();
  }

  add(chunk: unknown): void {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
    const part = Buffer.from(chunk);
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#size > this.#maxBytes) this.#end(undefined);
  }

  /** The body is complete. */
  end(): void {
    if (this.#size <= this.#maxBytes) this.#end(Buffer.concat(this.#parts, this.#size));
  }

  /** Nobody wants to know any more. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#parts = [];
  }

  #end(body: Buffer | undefined): void {
    this.drop();
    this.#onRead(body);
  }
}
