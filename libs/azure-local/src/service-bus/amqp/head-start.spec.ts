import { describe, expect, it } from '@jest/globals';
import { Connection } from './connection.js';
import { AMQP_HEADER } from './frames.js';
import { OPEN } from './performatives.js';
import { bytesOf, composite, string } from './put.js';

/** An open connection, and what happens to its bytes. */
function opened(record: (connection: Connection) => void = () => undefined): {
  connection: Connection;
  happened: string[];
} {
  const happened: string[] = [];
  const connection: Connection = new Connection(
    {
      write: (bytes) => happened.push(bytes.length < 200 ? 'little written' : 'written'),
      end: () => undefined,
      destroy: () => undefined,
    },
    {
      containerId: 'broker',
      admits: () => true,
      attached: () => undefined,
      touched: () => undefined,
      record: () => {
        happened.push('recorded');
        record(connection);
      },
      closed: () => undefined,
      complain: () => undefined,
    },
  );
  const body = bytesOf(composite(OPEN, [string('client'), string('host')]));
  const header = Buffer.from([0, 0, 0, 8 + body.length, 2, 0, 0, 0]);
  connection.receive(Buffer.concat([AMQP_HEADER, header, body]));
  connection.flush();
  happened.length = 0;
  return { connection, happened };
}

describe('what a long turn has gathered for a client', () => {
  it('is recorded and then sent off before the turn ends, once it is worth a write', () => {
    const { connection, happened } = opened();
    for (let n = 0; n < 50; n++) {
      connection.transferFrame(0, Buffer.alloc(500), () => undefined);
      connection.headStart();
    }
    expect(happened.slice(0, 4)).toEqual(['recorded', 'written', 'recorded', 'written']);
    expect(happened.length).toBeLessThan(10);
  });

  it('waits for the end of the turn when it is little', () => {
    const { connection, happened } = opened();
    for (let n = 0; n < 5; n++) {
      connection.transferFrame(0, Buffer.alloc(500), () => undefined);
      connection.headStart();
    }
    expect(happened).toEqual([]);
    connection.flush();
    expect(happened).toEqual(['written']);
  });

  it('is never sent when it cannot be recorded', () => {
    let isBroken = false;
    const { connection, happened } = opened((each) => {
      if (isBroken) return;
      isBroken = true;
      each.giveUp({ condition: 'amqp:internal-error', description: 'The journal is broken' });
    });
    connection.transferFrame(0, Buffer.alloc(9000), () => undefined);
    connection.headStart();
    expect(happened).toEqual(['recorded', 'recorded', 'little written']); // why it closes, and nothing else
    expect(connection.isOver).toBe(true);
  });
});
