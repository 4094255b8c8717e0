import type { TokenCredential } from '@azure/core-auth';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import type { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import type { Call } from '../host/call.js';
import type { RecordedService } from './traffic.js';

/** An application registration with its secret. */
export interface Identity {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** How the SDKs' HTTP clients are made for a target; what is empty for Azure leads to the embedded one. */
export interface HttpOptions {
  readonly tlsOptions?: { readonly ca: string };
  readonly additionalPolicies?: { readonly policy: PipelinePolicy; readonly position: 'perRetry' }[];
}

/**
 * What the contract is tried against: the embedded Azure, or a real subscription. The suites know no other
 * difference, so that a promise that the embedded one keeps is the promise that Azure makes.
 */
export interface Target {
  readonly kind: 'embedded' | 'azure';
  readonly subscriptionId: string;
  /** Origin of Entra. */
  readonly authority: string;
  readonly resourceManager: string;
  readonly vaultUrl: string;
  readonly resourceGroup: string;
  /** An account whose keys the contract regenerates. */
  readonly account: string;
  /** An account that exchanges keys for tokens. */
  readonly translator: string;
  readonly owner: Identity;
  /** An application without any role. */
  readonly powerless: Identity;
  /** A credential that goes to Entra through the real SDK. */
  credential(who: Identity): TokenCredential;
  http(service?: RecordedService): HttpOptions;
  /** One HTTPS request as it is written, for what no SDK shows. */
  readonly call: Call;
  bus(): BusTarget;
  /** Milliseconds since 1970, as the services see them. */
  now(): number;
  /** Lets the services' time go on: the embedded clock is turned, Azure's is waited for. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export interface BusTarget {
  client(options?: BusOptions): ServiceBusClient;
  administration(): ServiceBusAdministrationClient;
  /** A client whose credential opens nothing. */
  stranger(): ServiceBusClient;
}

export interface BusOptions {
  /** How long an operation may take; 10 s unless said. */
  readonly timeoutInMs?: number;
}

/** The application as a credential asks for its token: form fields of the token endpoint. */
export function secretGrant({ clientId, clientSecret }: Identity, scope: string): string {
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope,
  }).toString();
}
