// The fleet that a newcomer sees: accounts of different kinds under different policies, and the applications
// that use them. Times are short, so that a fleet rotates in seconds.

export interface SampleAccount {
  readonly name: string;
  readonly kind: string;
  readonly sku: string;
  readonly location: string;
  readonly resourceGroup: string;
  readonly keyFormat: 'hex32' | 'chars84';
  readonly policy: keyof typeof SAMPLE_POLICIES;
}

/**
 * `drain` is what a silent instance's calls may still take after it should have switched; it is the time after which
 * the sample consumers give a call up. Instances that answer say themselves when their last call is over.
 */
export const SAMPLE_POLICIES = {
  standard: {
    interval: 'PT10M',
    acknowledgeWithin: 'PT2M',
    onOverdue: 'hold',
    drain: 'PT10S',
    withoutConsumers: 'wait',
    firstRotation: 'now',
  },
  frequent: {
    interval: 'PT5M',
    acknowledgeWithin: 'PT1M',
    onOverdue: 'hold',
    drain: 'PT10S',
    withoutConsumers: 'wait',
    firstRotation: 'now',
  },
  unattended: {
    interval: 'PT15M',
    acknowledgeWithin: 'PT1M',
    onOverdue: 'force',
    drain: 'PT0.5S',
    withoutConsumers: 'rotate',
    firstRotation: 'now',
  },
} as const;

const account = (
  name: string,
  kind: string,
  keyFormat: SampleAccount['keyFormat'],
  policy: SampleAccount['policy'] = 'standard',
  location = 'westeurope',
): SampleAccount => ({
  name,
  kind,
  sku: kind === 'TextTranslation' ? 'S1' : 'S0',
  location,
  resourceGroup: 'ai',
  keyFormat,
  policy,
});

export const SAMPLE_ACCOUNTS: readonly SampleAccount[] = [
  account('speech-weu', 'SpeechServices', 'hex32'),
  account('speech-neu', 'SpeechServices', 'chars84', 'frequent', 'northeurope'),
  account('translator-weu', 'TextTranslation', 'hex32', 'frequent'),
  account('translator-eus', 'TextTranslation', 'chars84', 'standard', 'eastus'),
  account('language-weu', 'TextAnalytics', 'chars84'),
  account('language-neu', 'TextAnalytics', 'hex32', 'frequent', 'northeurope'),
  account('vision-weu', 'ComputerVision', 'chars84'),
  account('vision-eus', 'ComputerVision', 'hex32', 'standard', 'eastus'),
  account('openai-weu', 'OpenAI', 'chars84', 'frequent'),
  account('openai-eus', 'OpenAI', 'chars84', 'standard', 'eastus'),
  account('documents-weu', 'FormRecognizer', 'hex32'),
  account('safety-weu', 'ContentSafety', 'chars84'),
  account('face-legacy', 'Face', 'hex32', 'unattended'),
  account('all-in-one', 'CognitiveServices', 'hex32'),
];

/** One process of the sample: a consumer, how many instances of it run in there, and what they use. */
export interface SampleConsumer {
  readonly consumer: string;
  readonly instances: number;
  readonly accounts: readonly string[];
}

/** 36 instances in three processes; `face-legacy` is used by nobody, and its policy says to rotate all the same. */
export const SAMPLE_CONSUMERS: readonly SampleConsumer[] = [
  {
    consumer: 'voice-bot',
    instances: 12,
    accounts: ['speech-weu', 'speech-neu', 'openai-eus', 'translator-eus'],
  },
  {
    consumer: 'chat-frontend',
    instances: 12,
    accounts: ['openai-weu', 'translator-weu', 'safety-weu', 'language-weu', 'language-neu'],
  },
  {
    consumer: 'media-archive',
    instances: 12,
    accounts: ['vision-weu', 'vision-eus', 'documents-weu', 'all-in-one', 'language-weu'],
  },
];
