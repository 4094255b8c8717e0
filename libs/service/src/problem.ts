/** An HTTP answer of ours that is an error: thrown by controllers, sent as RFC 9457 problem+json. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  constructor(
    readonly status: number,
    /** Stable, kebab-case: programs compare it. */
    readonly code: string,
    /** One sentence for a person. */
    readonly detail: string,
    options: { cause?: unknown } = {},
  ) {
    super(detail, options);
  }
}
