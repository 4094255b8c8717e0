// The one address under which others know a service that has several replicas, as a Service of Kubernetes gives it one:
// each connection goes to the next replica.
import { connect, createServer, type Server } from 'node:net';

export class Entrance {
  #ports: readonly number[] = [];
  #next = 0;

  private constructor(private readonly server: Server) {}

  static async listen(port: number): Promise<Entrance> {
    const server = createServer({ allowHalfOpen: true });
    const entrance = new Entrance(server);
    server.on('connection', (near) => {
      const to = entrance.#choose();
      if (to === undefined) {
        near.destroy();
        return;
      }
      const far = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return entrance;
  }

  /** From now on new connections go there, and those that exist stay where they are. */
  leadTo(ports: readonly number[]): void {
    this.#ports = ports;
  }

  close(): void {
    this.server.close();
  }

  #choose(): number | undefined {
    this.#next += 1;
    return this.#ports[this.#next % this.#ports.length];
  }
}
