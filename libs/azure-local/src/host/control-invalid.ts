/** An order that the control refuses; the message names field, rule and remedy. */
export class ControlInvalid extends Error {
  override readonly name: string = 'ControlInvalid';
}
