export interface InspectionOptions {
  /** A longer body is not read. */
  readonly maxBytes: number;
  /** How long it is waited for: the client waits as well. @default 2000 ms */
  readonly deadline?: number;
  /** Whether what is there is enough. @default not before the end */
  readonly isEnough?: (body: Buffer) => boolean;
}

const DEADLINE = 2000;

/** Collects the body of an answer until it can be read: enough of it, or nothing. */
export class Inspection {
  readonly #options: InspectionOptions;
  readonly #onRead: (body: Buffer | undefined) => void;
  readonly #timer: NodeJS.Timeout;
  #parts: Buffer[] = [];
  #size = 0;

  /** `onRead` is called once; with `undefined` for a body that is longer than `maxBytes`, or takes too long. */
  constructor(options: InspectionOptions, onRead: (body: Buffer | undefined) => void) {
    this.#options = options;
    this.#onRead = onRead;
    const { deadline = DEADLINE } = options;
    this.#timer = setTimeout(() => this.#end(undefined), deadline).unref();
  }

  add(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
    const { maxBytes, isEnough } = this.#options;
    if (this.#size > maxBytes) this.#end(undefined);
    else if (isEnough) this.#endIf(isEnough);
  }

  /** The body is complete. */
  end(): void {
    if (this.#size <= this.#options.maxBytes) this.#end(this.#body());
  }

  /** Nobody wants to know any more. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#parts = [];
  }

  #endIf(isEnough: (body: Buffer) => boolean): void {
    const body = this.#body();
    if (isEnough(body)) this.#end(body);
  }

  #body(): Buffer {
    return Buffer.concat(this.#parts, this.#size);
  }

  #end(body: Buffer | undefined): void {
    this.drop();
    this.#onRead(body);
  }
}
