/** What one request may cost before anybody looks at what it asks. */
export interface RequestLimits {
  /** A declaration of 500 accounts by ARM id has 150 kB, a heartbeat for 200 accounts that all refuse as much. */
  readonly bodyBytes: number;
  /** Path and query. A reason of 500 characters may take nine bytes each, percent-encoded. */
  readonly urlCharacters: number;
  /** Request line and headers; a token with many groups has some thousands. */
  readonly headerBytes: number;
  /** By then the headers must be there. Whoever sends them a byte at a time holds a connection, and no longer. */
  readonly headersWithinMs: number;
  /** By then all of the request must be there; answers may take longer, streams have no end. */
  readonly requestWithinMs: number;
  /** How often connections are looked at for the two. */
  readonly lookEveryMs: number;
}

export const REQUEST_LIMITS: RequestLimits = {
  bodyBytes: 256 * 1024,
  urlCharacters: 8 * 1024,
  headerBytes: 16 * 1024,
  headersWithinMs: 10_000,
  requestWithinMs: 30_000,
  lookEveryMs: 5_000,
};
