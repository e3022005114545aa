import { FORBIDDEN_KEYS, isObject } from '@linli/rules'
import type { Identifier, StoredEvent } from '../ports/store.js'
import type { Rejection, RejectionCode } from './event.js'
import { FUTURE_MS, placeInTime, type Times } from './event-time.js'
import { anonymousUser, identifierUser, PROVISIONAL } from './provisional.js'

/** What an event may be at most. */
export const EVENT_LIMITS = {
  /** Characters of all texts and keys together. */
  size: 32 * 1024,
  depth: 32,
  /** Keys of one object. */
  keys: 255,
  /** How far ahead of the engine's clock an event may be. Up to this it counts as happening now. */
  futureMs: FUTURE_MS,
  /** Characters of an id or a name. */
  name: 255,
  identifiers: 20,
} as const

const TYPES = new Set(['track', 'identify', 'group', 'alias'])

export type Normalised =
  | { readonly ok: true; readonly event: StoredEvent }
  | {
      readonly ok: false
      readonly rejection: Rejection
      /** What can be read of a bad event, to name it in the log. */
      readonly messageId: string | undefined
      readonly userId: string | undefined
    }

/** Checks one incoming event and gives it the form of the log. Never throws. */
export function normalise(
  raw: unknown,
  now: number,
  unique: ReadonlySet<string>,
  keepMs = Number.POSITIVE_INFINITY,
): Normalised {
  try {
    return { ok: true, event: recent(read(raw, now, unique), now - keepMs) }
  } catch (error) {
    const rejection = error instanceof Refusal ? error.rejection : UNREADABLE
    return { ok: false, rejection, messageId: nameIn(raw, 'messageId'), userId: nameIn(raw, 'userId') }
  }
}

const UNREADABLE: Rejection = { code: 'event.shape', message: 'The event could not be read.' }

/** A name in what is perhaps no event at all. */
function nameIn(raw: unknown, key: string): string | undefined {
  try {
    const name = isObject(raw) ? raw[key] : undefined
    return isName(name) && !name.includes('\0') && name.isWellFormed() ? name : undefined
  } catch {
    return undefined
  }
}

class Refusal extends Error {
  readonly rejection: Rejection

  constructor(code: RejectionCode, message: string) {
    super(message)
    this.rejection = { code, message }
  }
}

function read(raw: unknown, now: number, unique: ReadonlySet<string>): StoredEvent {
  if (!isObject(raw)) throw new Refusal('event.shape', 'An event is a JSON object.')
  const clean = new Cleaner().clean(raw, 0) as Readonly<Record<string, unknown>>
  const { type = 'track', event, messageId, userId, anonymousId, previousId, groupId } = clean
  if (typeof type !== 'string' || !TYPES.has(type)) {
    throw new Refusal('event.type', '"type" should be track, identify, group or alias.')
  }
  if (!isName(messageId)) {
    throw new Refusal('event.messageId', '"messageId" should be a text of 1 to 255 characters, unique for each event.')
  }
  if (type === 'track' && !isName(event)) {
    throw new Refusal('event.name', '"event" should be the name of the event, 1 to 255 characters.')
  }
  if (type === 'group' && !isName(groupId)) throw new Refusal('event.subject', '"groupId" is missing.')
  const user = readId(userId, 'userId')
  const anonymous = readId(anonymousId, 'anonymousId')
  const identifiers = readIdentifiers(clean['context'])
  const known = identifiers.find((identifier) => unique.has(identifier.type))
  const provisional = type === 'alias' ? undefined : provisionalUser(anonymous, known)
  if (user === undefined && provisional === undefined) throw new Refusal('event.subject', NOBODY)
  const previous = type === 'alias' ? readId(previousId, 'previousId') : undefined
  if (type === 'alias' && previous === undefined) throw new Refusal('event.subject', '"previousId" is missing.')
  const properties = readObject(clean['properties'], 'properties')
  const traits = readObject(clean['traits'], 'traits')
  return {
    messageId,
    type: type as StoredEvent['type'],
    event: type === 'track' ? (event as string) : type,
    userId: user ?? provisional ?? '',
    ...readTime(clean, now),
    receivedAt: now,
    properties: properties ?? {},
    ...(traits !== undefined && { traits }),
    ...(type === 'group' && { groupId: groupId as string }),
    ...(anonymous !== undefined && { anonymousId: anonymous }),
    ...(previous !== undefined && { previousId: previous }),
    ...(identifiers.length > 0 && { identifiers }),
  }
}

/** Who somebody is may be said at any time; what they did would be forgotten at once, and count again if it came again. */
function recent(event: StoredEvent, forgottenUntil: number): StoredEvent {
  if (event.type !== 'track' || event.at > forgottenUntil) return event
  throw new Refusal('event.too_old', '"timestamp" is further back than the rules keep events.')
}

function readId(id: unknown, name: string): string | undefined {
  if (id === undefined || id === null) return undefined
  if (isName(id)) return notReserved(id, name)
  throw new Refusal('event.subject', `"${name}" should be a text of 1 to ${EVENT_LIMITS.name} characters.`)
}

const NOBODY =
  'An event needs a "userId" or, for other types than alias, an "anonymousId" or an identifier that is unique to a person in "context.externalIds".'

/** Whoever it is of whom no user id is said. */
function provisionalUser(anonymousId: string | undefined, identifier: Identifier | undefined): string | undefined {
  if (anonymousId !== undefined) return anonymousUser(anonymousId)
  return identifier === undefined ? undefined : identifierUser(identifier)
}

/** What the user is known by besides: `context.externalIds` of the Segment spec. */
function readIdentifiers(context: unknown): readonly Identifier[] {
  const list = isObject(context) ? context['externalIds'] : undefined
  if (list === undefined || list === null) return []
  if (!Array.isArray(list) || list.length > EVENT_LIMITS.identifiers) {
    const message = `"context.externalIds" should be a list of at most ${EVENT_LIMITS.identifiers} identifiers.`
    throw new Refusal('event.identifier', message)
  }
  return list.map(readIdentifier)
}

const TYPE = /^[\w.-]{1,64}$/
/** What programs write where they know nothing: it would make one person of all. */
const NO_IDS = new Set([
  'null',
  'undefined',
  'nan',
  'none',
  'unknown',
  'true',
  'false',
  '[object object]',
  '-',
  '0',
  '-1',
])

function readIdentifier(one: unknown): Identifier {
  const { type, id } = isObject(one) ? one : {}
  if (typeof type !== 'string' || !TYPE.test(type)) {
    const message = 'The "type" of an identifier should be 1 to 64 letters, digits, "_", "." and "-", such as "openid".'
    throw new Refusal('event.identifier', message)
  }
  if (!isName(id) || id.trim() === '' || NO_IDS.has(id.trim().toLowerCase())) {
    const message = `The "id" of an identifier of type ${JSON.stringify(type)} should be a text of 1 to ${EVENT_LIMITS.name} characters that only this person has.`
    throw new Refusal('event.identifier', message)
  }
  return { type, id }
}

/** Ids of those of whom nobody has said who they are: only linli gives them. */
function notReserved(id: string, name: string): string {
  const prefix = PROVISIONAL.find((one) => id.startsWith(one))
  if (prefix === undefined) return id
  throw new Refusal('event.reserved', `"${name}" begins with "${prefix}", as only linli's own ids may.`)
}

function readObject(value: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null || isObject(value)) return value ?? undefined
  throw new Refusal('event.shape', `"${name}" should be an object.`)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= EVENT_LIMITS.name
}

function readTime(times: Times, now: number): { readonly at: number; readonly saidAt?: number } {
  const placed = placeInTime(times, now)
  if (!placed.ok) throw new Refusal(placed.code, placed.message)
  const { at, saidAt = 0 } = placed
  return saidAt === at ? { at } : { at, saidAt }
}

/** Keys that were found to be allowed. */
const GOOD_KEYS = new Set<string>()
const GOOD_KEYS_KEPT = 2000

/** Checks every value of an event, and copies only what JSON would write differently. */
class Cleaner {
  private size = 0

  clean(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return this.text(value)
      case 'number':
        if (Number.isFinite(value)) return value
        throw new Refusal('event.number', 'NaN and infinite numbers have no JSON form.')
      case 'boolean':
        return value
      case 'object':
        return this.object(value, depth)
      default:
        throw new Refusal('event.value', `A ${typeof value} has no JSON form.`)
    }
  }

  private object(value: object | null, depth: number): unknown {
    if (value === null) return value
    if (depth > EVENT_LIMITS.depth) {
      throw new Refusal('event.too_deep', `Events nest at most ${EVENT_LIMITS.depth} levels.`)
    }
    if (value instanceof Date) return this.date(value)
    return Array.isArray(value) ? this.list(value, depth) : this.record(value as Record<string, unknown>, depth)
  }

  private date(date: Date): string {
    // JSON would write null, and an event without a time counts as happening now.
    if (Number.isFinite(date.getTime())) return date.toJSON()
    throw new Refusal('event.time', 'A Date of the event is no time.')
  }

  private list(list: readonly unknown[], depth: number): unknown {
    this.grow(list.length)
    let copy: unknown[] | undefined
    for (let index = 0; index < list.length; index++) {
      const member = list[index]
      const cleaned = member === undefined ? null : this.clean(member, depth + 1)
      if (cleaned !== member) copy ??= [...list]
      if (copy !== undefined) copy[index] = cleaned
    }
    return copy ?? list
  }

  private record(record: Readonly<Record<string, unknown>>, depth: number): unknown {
    const keys = Object.keys(record)
    if (keys.length > EVENT_LIMITS.keys) {
      throw new Refusal('event.too_many_keys', `An object has at most ${EVENT_LIMITS.keys} keys.`)
    }
    let copy: Record<string, unknown> | undefined
    for (const key of keys) {
      this.key(key)
      const member = record[key]
      if (member === undefined) {
        copy ??= { ...record }
        delete copy[key]
        continue
      }
      const cleaned = this.clean(member, depth + 1)
      if (cleaned === member) continue
      copy ??= { ...record }
      copy[key] = cleaned
    }
    return copy ?? record
  }

  /** The same few keys come again and again: each is looked at once. */
  private key(key: string): void {
    if (GOOD_KEYS.has(key)) return this.grow(key.length)
    if (FORBIDDEN_KEYS.has(key)) throw new Refusal('event.key', `The key ${JSON.stringify(key)} is never allowed.`)
    this.text(key)
    if (GOOD_KEYS.size < GOOD_KEYS_KEPT) GOOD_KEYS.add(key)
  }

  private text(text: string): string {
    this.grow(text.length)
    if (text.includes('\0') || !text.isWellFormed()) {
      throw new Refusal('event.text', 'Texts are Unicode without NUL characters and without halves of characters.')
    }
    return text
  }

  private grow(by: number): void {
    this.size += by
    if (this.size > EVENT_LIMITS.size) {
      throw new Refusal('event.too_large', `An event has at most ${EVENT_LIMITS.size} characters.`)
    }
  }
}
