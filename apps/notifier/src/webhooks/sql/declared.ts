// What of the declared consumers webhooks are about: the one place here that knows how declarations are stored.
import { sql, type RawBuilder } from 'kysely';

/**
 * A row per consumer that is declared with a webhook: consumer, url, signature, secret, within (seconds, null: as long
 * as the account's own deadline), and its standing instance with its boot.
 */
export const DECLARED: RawBuilder<unknown> = sql`(
  select c.consumer, i.instance, i.boot,
         c.declaration #>> '{channel,url}' as url,
         c.declaration #>> '{channel,signature}' as signature,
         c.declaration #>> '{channel,secret}' as secret,
         (c.declaration ->> 'acknowledgeWithinSeconds')::integer as within
  from consumer c join instance i on i.consumer = c.consumer and i.channel = 'webhook'
  where c.declaration #>> '{channel,kind}' = 'webhook')`;
