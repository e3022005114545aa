import type { Identifier } from '../ports/store.js'
import type { IncomingEvent } from './event.js'

/** What is unique to a person unless the host says otherwise. */
export const UNIQUE_IDENTIFIERS: readonly string[] = ['openid', 'unionid', 'external_userid', 'phone']

const ANONYMOUS = 'anon:'
const IDENTIFIED = 'id:'

/** How ids of hosts never begin: those of users of whom nobody has said who they are. */
export const PROVISIONAL = [ANONYMOUS, IDENTIFIED] as const

/** The user that an anonymous visitor is until somebody says who it is. */
export function anonymousUser(anonymousId: string): string {
  return `${ANONYMOUS}${anonymousId}`
}

/** The user that somebody is of whom only an identifier is known. */
export function identifierUser({ type, id }: Identifier): string {
  return `${IDENTIFIED}${type}:${id}`
}

export function isProvisional(userId: string): boolean {
  return PROVISIONAL.some((prefix) => userId.startsWith(prefix))
}

/** How an event says that it is of this user, whether a host or linli gave the id. */
export function identityOf(userId: string): Pick<IncomingEvent, 'userId' | 'anonymousId' | 'context'> {
  if (userId.startsWith(ANONYMOUS)) return { anonymousId: userId.slice(ANONYMOUS.length) }
  if (!userId.startsWith(IDENTIFIED)) return { userId }
  const name = userId.slice(IDENTIFIED.length)
  const end = name.indexOf(':')
  return { context: { externalIds: [{ type: name.slice(0, end), id: name.slice(end + 1) }] } }
}

/** How well a user is known: of two who are one, the better known stays. */
export function standingOf(userId: string): number {
  if (userId.startsWith(ANONYMOUS)) return 0
  return userId.startsWith(IDENTIFIED) ? 1 : 2
}
