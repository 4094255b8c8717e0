import { json, type Reply } from './plugin.js';

/**
 * The claims that a resource asks for when an event made it distrust tokens issued before `now`: a token that is not
 * older. Base64 of JSON, as clients hand it on to Entra.
 */
export function demandedClaims(now: number): string {
  const value = String(Math.floor(now / 1000));
  return Buffer.from(JSON.stringify({ access_token: { nbf: { essential: true, value } } })).toString(
    'base64',
  );
}

/** Resource Manager's form of the challenge of continuous access evaluation. */
export function armClaimsChallenge(authority: string, claims: string): Reply {
  const message = 'Continuous access evaluation resulted in challenge with result: InteractionRequired.';
  const challenge = `Bearer authorization_uri="${authority}", error="insufficient_claims", claims="${claims}"`;
  const error = { code: 'LocationConditionEvaluationSatisfied', message };
  return { ...json(401, { error }), headers: { 'www-authenticate': challenge } };
}
