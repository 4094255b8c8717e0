import { isPermanentFault } from '@twinkey/contracts';
import type { Log } from '@twinkey/service';
import type { CareFile } from './care-file.js';
import type { CareList } from './care-list.js';
import { recordConsumers } from './record-consumers.js';
import { recordSurvey } from './record-survey.js';
import { survey, type Azure } from './survey.js';
import type { SchedulerDatabase } from './tables.js';

// Accounts come, go and change seldom, and each named one costs a read of Resource Manager.
const SURVEY_EVERY_MS = 600_000;
const SURVEY_AGAIN_MS = 15_000;

/**
 * The list in force. A file that cannot be used when the process starts ends it; one that becomes so later is
 * reported, and the list read last stays in force.
 */
export class Care {
  readonly database: SchedulerDatabase;
  readonly clock: () => Date;
  /** What is wrong with the file as it is now; null: nothing. */
  fileTrouble: string | null = null;
  /** What the last survey could not find out. */
  remarks: readonly string[] = [];
  #list: CareList;
  #surveyAt = 0;
  readonly #azure: Azure;
  readonly #file: CareFile;
  readonly #log: Log;

  constructor(parts: {
    readonly database: SchedulerDatabase;
    readonly azure: Azure;
    readonly file: CareFile;
    readonly clock: () => Date;
    readonly log: Log;
  }) {
    this.database = parts.database;
    this.clock = parts.clock;
    this.#azure = parts.azure;
    this.#file = parts.file;
    this.#log = parts.log;
    this.#list = parts.file.read();
  }

  get path(): string {
    return this.#file.path;
  }

  /** Looks at the file and at Azure if it is time to. */
  async keepUp({ again = false, signal }: { again?: boolean; signal?: AbortSignal } = {}): Promise<void> {
    if (again || this.#file.changed()) this.#reread();
    const now = this.clock();
    if (now.getTime() < this.#surveyAt) return;
    const found = await unlessStopped(survey(this.#list, this.#azure), signal);
    const { declared, withdrawn } = await recordSurvey(this.database, found, now, signal);
    const unkept = await recordConsumers(this.database, this.#list.consumers, now);
    this.#surveyAt = now.getTime() + (found.passing ? SURVEY_AGAIN_MS : SURVEY_EVERY_MS);
    this.#report(
      found.troubled.map(({ account, trouble }) => `${account}: ${trouble}`).concat(found.remarks, unkept),
    );
    for (const { account, settings } of declared) {
      this.#log.info({ account, policy: settings?.policy.name }, 'An account was declared');
    }
    for (const { account, trouble } of withdrawn) {
      this.#log.warn({ account, reason: trouble }, 'An account was withdrawn');
    }
  }

  #reread(): void {
    try {
      this.#list = this.#file.read();
      this.fileTrouble = null;
      this.#surveyAt = 0;
      this.#log.info(
        { file: this.#file.path, entries: this.#list.entries.length },
        'The file was read again',
      );
    } catch (error) {
      if (!isPermanentFault(error)) throw error;
      this.fileTrouble = error.message;
      this.#log.error({ file: this.#file.path, faults: error.message }, 'The changed file is not used');
    }
  }

  /** Each remark is logged when it comes up, not at every survey. */
  #report(remarks: readonly string[]): void {
    for (const remark of remarks) {
      if (!this.remarks.includes(remark)) this.#log.warn({ remark }, 'A survey found trouble');
    }
    this.remarks = remarks;
  }
}

/** A survey only reads, so it may be left behind: a stop does not wait until Azure answers or its deadline passes. */
async function unlessStopped<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return work;
  work.catch(() => undefined); // once it is left behind nobody else looks at how it ends
  let onAbort = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
