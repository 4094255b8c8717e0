import type { PeekMessagesOptions } from '@azure/service-bus';

type Long = NonNullable<PeekMessagesOptions['fromSequenceNumber']>;

/**
 * Sequence numbers have 64 bits. The SDK wants an instance of the `long` package for them, but looks only at its
 * mark and its bytes, so those are what it gets.
 */
export function sequenceNumber(text: string): Long {
  return {
    __isLong__: true,
    toBytesBE: () => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(BigInt(text));
      return [...bytes];
    },
  } as unknown as Long;
}
