import type { AnyService, Part } from './restart.js';

/** Something that listens on a port. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens something, and makes it a part of the emulator that can be closed and opened again on its port. */
export async function openPart<L extends Listening>(
  services: readonly AnyService[],
  first: () => Promise<L>,
  again: (port: number) => Promise<L>,
): Promise<Part & { readonly port: number; readonly current: L }> {
  let current = await first();
  const { port } = current;
  let isOpen = true;
  return {
    services,
    port,
    get current() {
      return current;
    },
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      await current.close();
    },
    open: async () => {
      current = await again(port);
      isOpen = true;
    },
  };
}
