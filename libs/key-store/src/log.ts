/** The part of a logger that the adapters use; pino's fits. */
export interface KeyStoreLog {
  warn(fields: object, message: string): void;
}

/** What a client may be told besides its endpoint; for a private certificate authority given in code. */
export interface ClientOptions {
  readonly tlsOptions?: { readonly ca?: string };
}
