import { asObject, type JsonObject } from '../../http/json.js'

/** Who a record is of, as events of linli say it. */
export interface Who {
  readonly userId?: unknown
  readonly anonymousId?: unknown
  readonly context?: { readonly externalIds: readonly { readonly type: string; readonly id: string }[] }
}

/** Libraries that run where people are: their `distinct_id` is that of a device until somebody logs in. */
const CLIENTS = /^(mini\s?program|js|ios|android|harmony|flutter|react native|unity|wechat|alipay|.*mini)/i

/** What is an identifier besides user and device, and its type here. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['$identity_mp_openid', 'openid'],
  ['$identity_mp_unionid', 'unionid'],
  ['$identity_mobile', 'phone'],
  ['$identity_email', 'email'],
])
const OPENID = /^\$identity_mp_(.+)_openid$/
/** An id that was given under a key: `key+value`. */
const KEYED = /^(\$?[\w-]+)\+(.+)$/

/** Who a record is of. `isLogin` says whether a `distinct_id` that stands alone is a user's id. */
export function whoIs(record: JsonObject, isLogin: ((record: JsonObject) => boolean) | undefined): Who {
  const { distinct_id: distinct, login_id: login, anonymous_id: anonymous } = record
  const externalIds = identifiersIn(asObject(record['identities']) ?? {})
  const context = externalIds.length > 0 ? { context: { externalIds } } : {}
  if (login !== undefined) {
    return { userId: plain(login), ...(anonymous !== undefined && { anonymousId: anonymous }), ...context }
  }
  if ((isLogin ?? isLoginByItself)(record)) return { userId: plain(distinct), ...context }
  return { anonymousId: anonymous ?? distinct, ...context }
}

function isLoginByItself({ properties, lib, distinct_id: distinct, identities }: JsonObject): boolean {
  if (asObject(properties)?.['$is_login_id'] === true) return true
  if (asObject(identities)?.['$identity_login_id'] === distinct && distinct !== undefined) return true
  const library = asObject(lib)?.['$lib']
  return typeof library === 'string' && !CLIENTS.test(library)
}

function plain(id: unknown): unknown {
  return typeof id === 'string' ? (KEYED.exec(id)?.[2] ?? id) : id
}

function identifiersIn(identities: JsonObject) {
  return Object.entries(identities).flatMap(([key, id]) => {
    const type = TYPES.get(key) ?? (OPENID.test(key) ? 'openid' : undefined)
    return type === undefined || typeof id !== 'string' || id === '' ? [] : [{ type, id }]
  })
}
