import type { ResolvedAddress } from '../../http/request.js'
import {
  type Lookup,
  parseTarget as parse,
  resolveTarget as resolve,
  TargetError,
  type UrlPolicy,
} from '../../http/target.js'
import { WebhookError } from './errors.js'

export { type Lookup, systemLookup, type UrlPolicy } from '../../http/target.js'

/** @throws {WebhookError} Its message names neither host nor path: the URL may belong to a person. */
export function parseTarget(text: string, policy: UrlPolicy): URL {
  try {
    return parse(text, policy)
  } catch (error) {
    throw told(error)
  }
}

/**
 * @throws {WebhookError} `webhook.address_forbidden`
 * @throws What `lookup` rejects with.
 */
export function resolveTarget(url: URL, policy: UrlPolicy, lookup: Lookup): Promise<readonly ResolvedAddress[]> {
  return resolve(url, policy, lookup).catch((error: unknown) => {
    throw told(error)
  })
}

function told(error: unknown): unknown {
  return error instanceof TargetError
    ? new WebhookError(`webhook.${error.problem}`, `The webhook URL ${error.says}`)
    : error
}
