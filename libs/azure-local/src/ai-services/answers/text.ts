/** What was meant as a text, or none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
