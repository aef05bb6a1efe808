import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { seal, unseal } from '../../../src/store/seal.ts';

describe('G1: what is sealed for a session', () => {
  test('can be read by who has its id', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (id, text) => {
        expect(unseal(id, 'p', seal(id, 'p', text))).toBe(text);
      }),
    );
  });

  test('cannot be read with another id, or for another purpose', () => {
    const sealed = seal('id', 'p', 'text');
    expect([unseal('other', 'p', sealed), unseal('id', 'q', sealed)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('cannot be read once it was changed, or if it is nothing of the kind', () => {
    const sealed = seal('id', 'p', 'text');
    const bytes = Buffer.from(sealed, 'base64url');
    const flipped = [...bytes.keys()].map((at) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return copy.toString('base64url');
    });
    const changed = [...flipped, sealed.slice(4), `AAAA${sealed}`, '', 'text', '🙈'];
    expect(changed.map((each) => unseal('id', 'p', each))).toEqual(changed.map(() => undefined));
  });

  test('looks different each time, and shows nothing of the text', () => {
    const [one, other] = [seal('id', 'p', 'secret'), seal('id', 'p', 'secret')];
    expect(one).not.toBe(other);
    expect(Buffer.from(one, 'base64url').includes('secret')).toBe(false);
  });
});
