/** Which api-versions Resource Manager takes, by family. Whoever asks for another one is told these. */
export type ApiFamily = 'tenant' | 'resources' | 'accounts' | 'deletedAccounts' | 'accountExtras';

// Resource Manager's own surface answers to one list, whatever is asked of it (seen in its refusals).
const core: readonly string[] = [
  '2025-04-01',
  '2025-03-01',
  '2024-11-01',
  '2024-08-01',
  '2024-07-01',
  '2024-03-01',
  '2023-07-01',
  '2022-12-01',
  '2022-09-01',
  '2022-06-01',
  '2022-05-01',
  '2022-01-01',
  '2021-10-01',
  '2021-04-01',
  '2021-01-01',
  '2020-10-01',
  '2020-09-01',
  '2020-08-01',
  '2020-07-01',
  '2020-06-01',
  '2020-05-01',
  '2020-01-01',
  '2019-11-01',
  '2019-10-01',
  '2019-09-01',
  '2019-08-01',
  '2019-07-01',
  '2019-06-01',
  '2019-05-10',
  '2019-05-01',
  '2019-03-01',
  '2018-11-01',
  '2018-09-01',
  '2018-08-01',
  '2018-07-01',
  '2018-06-01',
  '2018-05-01',
  '2018-02-01',
  '2018-01-01',
  '2017-12-01',
  '2017-08-01',
  '2017-06-01',
  '2017-05-10',
  '2017-05-01',
  '2017-03-01',
  '2016-09-01',
  '2016-07-01',
  '2016-06-01',
  '2016-02-01',
  '2015-11-01',
  '2015-01-01',
  '2014-04-01',
];

const cognitiveServices: readonly string[] = [
  '2025-09-01',
  '2025-07-01-preview',
  '2025-06-01',
  '2025-04-01-preview',
  '2024-10-01',
  '2024-06-01-preview',
  '2024-04-01-preview',
  '2023-10-01-preview',
  '2023-05-01',
  '2022-12-01',
  '2022-10-01',
  '2022-03-01',
  '2021-10-01',
  '2021-04-30',
  '2017-04-18',
];

/** The versions that a family takes, newest first. */
export function supportedVersions(family: ApiFamily): readonly string[] {
  switch (family) {
    case 'tenant':
    case 'resources':
      return core;
    case 'accounts':
      return cognitiveServices;
    case 'deletedAccounts': // soft delete came with 2021-04-30
      return cognitiveServices.filter((version) => version >= '2021-04-30');
    case 'accountExtras': // lists of models came with 2022-10-01
      return cognitiveServices.filter((version) => version >= '2022-10-01');
  }
}

/** `malformed`: no date at all, refused at the door; `unsupported`: a date, but none of this type's. */
export type VersionFault = 'missing' | 'malformed' | 'unsupported';

/** What is wrong with the api-version of a request; `undefined` when it is taken. */
export function versionFault(family: ApiFamily, asked: string | null): VersionFault | undefined {
  if (asked === null || asked.trim() === '') return 'missing';
  if (supportedVersions(family).includes(asked.toLowerCase())) return undefined;
  return /^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/i.test(asked) ? 'unsupported' : 'malformed';
}
