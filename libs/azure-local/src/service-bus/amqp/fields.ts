import { AmqpMap, DecodeError, Described, type Value } from './reader.js';

/** The fields of a performative or another composite value, read by position and checked for their type. */
export class Fields {
  constructor(
    private readonly of: string,
    private readonly values: readonly Value[],
  ) {}

  static from(of: string, value: Value): Fields {
    if (!Array.isArray(value)) throw new DecodeError(`${of} is not a list`);
    return new Fields(of, value as readonly Value[]);
  }

  at(index: number): Value {
    return this.values[index] ?? null;
  }

  private wrong(index: number, expected: string): DecodeError {
    return new DecodeError(`field ${index} of ${this.of} is not ${expected}`);
  }

  uint(index: number): number | undefined {
    const value = this.at(index);
    if (value === null) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
      throw this.wrong(index, 'a whole number');
    return value;
  }

  requiredUint(index: number): number {
    const value = this.uint(index);
    if (value === undefined) throw this.wrong(index, 'there');
    return value;
  }

  bool(index: number): boolean {
    const value = this.at(index);
    if (value !== null && typeof value !== 'boolean') throw this.wrong(index, 'true or false');
    return value === true;
  }

  string(index: number): string | undefined {
    const value = this.at(index);
    if (value === null) return undefined;
    if (typeof value !== 'string') throw this.wrong(index, 'text');
    return value;
  }

  binary(index: number): Buffer | undefined {
    const value = this.at(index);
    if (value === null) return undefined;
    if (!Buffer.isBuffer(value)) throw this.wrong(index, 'binary');
    return value;
  }

  map(index: number): AmqpMap | undefined {
    const value = this.at(index);
    if (value === null) return undefined;
    if (!(value instanceof AmqpMap)) throw this.wrong(index, 'a map');
    return value;
  }

  described(index: number): Described | undefined {
    const value = this.at(index);
    if (value === null) return undefined;
    if (!(value instanceof Described)) throw this.wrong(index, 'a described value');
    return value;
  }
}
