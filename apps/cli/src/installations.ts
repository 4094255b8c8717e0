// The commands about an installation as a whole: is it as it should be, and how does one begin. They need no console.
import { type Command, Option } from 'commander';
import type { DoctorOptions } from './commands/doctor.js';
import type { InitOptions } from './commands/init.js';
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
  program
    .command('init')
    .description(
      'write the files with which an installation begins: twinkey.yaml with the accounts that are there, an overlay for Kubernetes, parameters for Bicep',
    )
    .requiredOption('--prefix <prefix>', 'begins the names of everything in Azure, 3 to 14 characters')
    .addOption(new Option('--subscription <id>', 'where to look for accounts').env('AZURE_SUBSCRIPTION_ID'))
    .option('--from-file <file>', 'offline: the answer of az cognitiveservices account list --output json')
    .option('--out <folder>', 'where the files go', 'twinkey')
    .option('--deploy <folder>', 'the folder deploy of a copy of the repository', 'deploy')
    .option('--force', 'overwrite files that are there')
    .action(async (options: InitOptions) => {
      const { init } = await import('./commands/init.js');
      await init(program.opts<GlobalOptions>(), options);
    });
}
