/** A mistake of whoever called: shown as one sentence without a stack, exit code 2. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}
