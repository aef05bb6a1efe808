interface Named {
  readonly id?: string | undefined;
  readonly name: string;
}

/** Of a row: with its line of the contract, if there is one. */
export function titleOf({ id, name }: Named): string {
  return id === undefined ? name : `${id} ${name}`;
}
