import { settingOf, type Environment, type ServiceName } from '@twinkey/settings';
import { DefaultAzureCredential } from '@azure/identity';
import { examine } from '../doctor/examine.js';
import { linesOf, tally, type Finding } from '../doctor/finding.js';
import { probesFor } from '../doctor/probes.js';
import { isGiven, servicesIn } from '../doctor/settings.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { printList, screenFor } from '../screen.js';
import type { GlobalOptions } from '../settings.js';

export interface DoctorOptions {
  readonly service?: ServiceName;
  readonly file?: string;
  readonly json?: boolean;
}

/** `twinkey doctor`: looks at everything that a service of this environment needs, and changes nothing. */
export async function doctor(options: GlobalOptions, { service, file, json }: DoctorOptions): Promise<void> {
  const environment: Environment = process.env;
  const screen = screenFor(json === true ? { ...options, output: 'json' } : options);
  const services = service === undefined ? servicesIn(environment) : [service];
  const { findings, who } = await examine(
    {
      environment: isGiven(environment, 'TWINKEY_URL') ? environment : { ...environment, ...told(options) },
      services,
      file: file ?? settingOf(environment, 'TWINKEY_FILE') ?? 'twinkey.yaml',
      console: options.url,
      notifier: settingOf(environment, 'TWINKEY_NOTIFIER_URL') ?? '',
    },
    () =>
      probesFor({
        environment,
        credential: new DefaultAzureCredential({
          disableInstanceDiscovery: settingOf(environment, 'TWINKEY_DISABLE_INSTANCE_DISCOVERY') === 'true',
        }),
      }),
  );
  const counts = tally(findings);
  printList(screen, findings, {
    whole: { services, identity: who ?? null, ...counts, findings },
    name: ({ check }) => check,
    table: () => linesOf(findings, screen.paint),
  });
  screen.talk(`${counts.ok} ok, ${counts.failed} failed, ${counts.skipped} skipped`);
  if (counts.failed > 0) throw unfit(findings, counts.failed);
}

const DEFAULT_URL = 'http://127.0.0.1:4700';

/** An address that was written on the command line counts as told. */
function told({ url }: GlobalOptions): Environment {
  return url === DEFAULT_URL ? {} : { TWINKEY_URL: url };
}

function unfit(findings: readonly Finding[], failed: number): Failure {
  const [first] = findings.filter(({ outcome }) => outcome === 'failed');
  return new Failure(EXIT.unfit, {
    what: failed === 1 ? 'One check failed.' : `${failed} checks failed.`,
    why:
      first === undefined
        ? ''
        : `${first.about}: ${first.check}${first.detail === undefined ? '' : `: ${first.detail}`}`,
    state: 'Nothing was changed.',
    remedy:
      'Run what stands below each failed check, from the top; new roles take minutes to work. Then ask again.',
  });
}
