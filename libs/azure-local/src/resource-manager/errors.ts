import { json, type Reply } from '../host/plugin.js';
import { supportedVersions, type ApiFamily, type VersionFault } from './api-versions.js';
import { displayNameOf, locations } from './catalogue.js';
import { accountId } from './protocol.js';

/** A refusal of the provider behind the gateway. */
export function serviceError(status: number, code: string, message: string): Reply {
  return json(status, { error: { code, message } });
}

/** A refusal of Resource Manager itself: no provider has seen the request. */
export function gatewayError(status: number, code: string, message: string): Reply {
  return { ...serviceError(status, code, message), headers: { 'x-ms-failure-cause': 'gateway' } };
}

export function versionRefused(fault: VersionFault, family: ApiFamily, asked: string, type: string): Reply {
  if (fault === 'missing') {
    return gatewayError(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  }
  const versions = supportedVersions(family);
  if (fault === 'malformed' || family === 'tenant' || family === 'resources') {
    return gatewayError(
      400,
      'InvalidApiVersionParameter',
      `The api-version '${asked}' is invalid. The supported versions are '${versions.join(',')}'.`,
    );
  }
  return gatewayError(
    400,
    'NoRegisteredProviderFound',
    `No registered resource provider found for location 'global' and API version '${asked}' for type '${type}'. ` +
      `The supported api-versions are '${versions.join(', ')}'. ` +
      `The supported locations are ', ${locations.join(', ')}'.`,
  );
}

export function localAuthDisabled(): Reply {
  return serviceError(400, 'BadRequest', 'Failed to list key. disableLocalAuth is set to be true');
}

/** Resource Manager's challenge is spelled `authorization_uri`, Key Vault's is not. */
export function unauthenticated(
  authority: string,
  why: 'missing' | 'invalid' | 'expired' | 'wrong-audience',
): Reply {
  const [code, text] = {
    missing: ['AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing."],
    invalid: ['InvalidAuthenticationToken', 'The access token is invalid.'],
    expired: [
      'ExpiredAuthenticationToken',
      'The access token expiry UTC time is earlier than current UTC time.',
    ],
    'wrong-audience': [
      'InvalidAuthenticationTokenAudience',
      'The access token has been obtained for wrong audience.',
    ],
  }[why] as [string, string];
  const challenge = `Bearer authorization_uri="${authority}", error="invalid_token", error_description="${text}"`;
  const refused = gatewayError(401, code, text);
  return { ...refused, headers: { ...refused.headers, 'www-authenticate': challenge } };
}

export function unauthorizedFor(clientId: string, objectId: string, action: string, scope: string): Reply {
  return gatewayError(
    403,
    'AuthorizationFailed',
    `The client '${clientId}' with object id '${objectId}' does not have authorization to perform action ` +
      `'${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}

export function subscriptionNotFound(id: string): Reply {
  return gatewayError(404, 'SubscriptionNotFound', `The subscription '${id}' could not be found.`);
}

export function groupNotFound(name: string): Reply {
  return gatewayError(404, 'ResourceGroupNotFound', `Resource group '${name}' could not be found.`);
}

export function accountNotFound(name: string, group: string): Reply {
  const resource = `Microsoft.CognitiveServices/accounts/${name}`;
  return gatewayError(
    404,
    'ResourceNotFound',
    `The Resource '${resource}' under resource group '${group}' was not found. For more details please go to ` +
      'https://aka.ms/ARMResourceNotFoundFix',
  );
}

export function deletedAccountNotFound(name: string): Reply {
  return serviceError(404, 'ResourceNotFound', `No deleted account '${name}' was found.`);
}

export function providerNotFound(namespace: string): Reply {
  return gatewayError(404, 'InvalidResourceNamespace', `The resource namespace '${namespace}' is invalid.`);
}

export function nothingThere(path: string): Reply {
  return gatewayError(
    404,
    'InvalidResourceType',
    `Nothing answers this request at '${path}': the emulator has subscriptions, resource groups and accounts of ` +
      'Microsoft.CognitiveServices.',
  );
}

export function skipTokenInvalid(): Reply {
  return gatewayError(400, 'InvalidSkipToken', 'The $skiptoken is not one of a nextLink of this list.');
}

/** The account exists no more, but its name and its data are kept. */
export function flagMustBeSetForRestore(subscription: string, group: string, name: string): Reply {
  return serviceError(
    409,
    'FlagMustBeSetForRestore',
    `An existing resource with ID '${accountId(subscription, group, name)}' has been soft-deleted. To restore the ` +
      "resource, you must specify 'restore' to be 'true' in the property. If you don't want to restore existing " +
      'resource, please purge it first.',
  );
}

export function requestConflict(subscription: string, group: string, name: string): Reply {
  return serviceError(
    409,
    'RequestConflict',
    `Cannot modify resource with id '${accountId(subscription, group, name)}' because the resource entity ` +
      'provisioning state is not terminal. Please wait for the provisioning state to become terminal and then ' +
      'retry the request.',
  );
}

export function malformed(why: string): Reply {
  return gatewayError(
    400,
    'InvalidRequestContent',
    `The request content was invalid and could not be deserialized: '${why}'.`,
  );
}

/** The provider's own words for a body, or a field of it, that is not there. */
export function missingValue(field = ''): Reply {
  return serviceError(400, 'BadRequest', `Value cannot be null. (Parameter 'requestObject${field}')`);
}

export function locationRequired(): Reply {
  return gatewayError(400, 'LocationRequired', 'The location property is required for this definition.');
}

export function locationUnknown(location: string): Reply {
  return gatewayError(
    400,
    'LocationNotAvailableForResourceType',
    `The provided location '${location}' is not available for resource type 'Microsoft.CognitiveServices/accounts'. ` +
      `List of available regions for the resource type is '${locations.join(',')}'.`,
  );
}

export function locationChanged(name: string, group: string, before: string, after: string): Reply {
  return gatewayError(
    409,
    'InvalidResourceLocation',
    `The resource '${name}' already exists in location '${before}' in resource group '${group}'. A resource with the ` +
      `same name cannot be created in location '${after}'. Please select a new resource name.`,
  );
}

export function groupLocationChanged(name: string, before: string, after: string): Reply {
  return gatewayError(
    409,
    'InvalidResourceGroupLocation',
    `Invalid resource group location '${after}'. The Resource group '${name}' already exists in location '${before}'.`,
  );
}

export function groupLocationUnknown(location: string): Reply {
  return gatewayError(
    400,
    'LocationNotAvailableForResourceGroup',
    `The provided location '${location}' is not available for resource group. List of available regions is ` +
      `'${locations.map(displayNameOf).join(',')}'.`,
  );
}

export function kindUnknown(kind: string): Reply {
  return serviceError(
    400,
    'InvalidApiSetId',
    `The account type '${kind}' is either invalid or unavailable in given region.`,
  );
}

export function kindChanged(): Reply {
  return serviceError(400, 'UpdateKindNotAllowed', "It's not allowed to update kind of API account.");
}

export function skuUnknown(sku: string, kind: string): Reply {
  return serviceError(
    400,
    'SpecialFeatureOrQuotaIdRequired',
    `The subscription does not have QuotaId/Feature required by SKU '${sku}' from kind '${kind}'`,
  );
}

export function subdomainTaken(name: string): Reply {
  return serviceError(
    409,
    'CustomDomainInUse',
    `Please pick a different name. The subdomain name '${name}' is not available as it's already used by a resource.`,
  );
}

export function throttled(
  kind: string,
  subscription: string,
  clientId: string,
  retryAfterSeconds: number,
): Reply {
  const reply = gatewayError(
    429,
    'SubscriptionRequestsThrottled',
    `Number of '${kind}' requests for subscription '${subscription}' actor '${clientId}' exceeded. ` +
      `Please try again after '${retryAfterSeconds}' seconds after additional tokens are available.`,
  );
  return { ...reply, headers: { ...reply.headers, 'retry-after': String(retryAfterSeconds) } };
}
