// The commands about an installation as a whole: is it as it should be, and how does one begin. They need no console.
import { type Command, Option } from 'commander';
import type { DoctorOptions } from './commands/doctor.js';
import type { GlobalOptions } from './settings.js';

export function addInstallations(program: Command): void {
  program
    .command('doctor')
    .description(
      'hold an installation against what its services need, with their environment; changes nothing, and says what mends what failed',
    )
    .addOption(
      new Option('--service <service>', 'as this one (else as all whose required variables are set)').choices(
        ['scheduler', 'rotator', 'notifier', 'console'],
      ),
    )
    .option('--file <file>', 'the accounts file, else TWINKEY_FILE or ./twinkey.yaml')
    .option('--json', 'the same as -o json')
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./commands/doctor.js');
      await doctor(program.opts<GlobalOptions>(), options);
    });
}
