/** An event as hosts send it: the Segment spec's `track`, `identify`, `group` and `alias`. */
export interface IncomingEvent {
  readonly type?: 'track' | 'identify' | 'group' | 'alias'
  /** The name of a `track` event. */
  readonly event?: string
  /** Unique for each event: a second event of the same id changes nothing. */
  readonly messageId: string
  readonly userId?: string
  readonly anonymousId?: string
  /** `alias`: the anonymous id, or the other user id, that `userId` was known by. */
  readonly previousId?: string
  /** `group`: the community that the user belongs to. */
  readonly groupId?: string
  /** When it happened: ISO 8601, a Date, or milliseconds since the epoch. Left out: when it arrived. */
  readonly timestamp?: string | number | Date
  /** When the device sent it, by the clock that wrote `timestamp`. An event is moved by what that clock is wrong. */
  readonly sentAt?: string | number | Date
  /** When your server received it, where that is not now. */
  readonly receivedAt?: string | number | Date
  /** The device's own time, where `timestamp` has been corrected by somebody before: it then counts as it is. */
  readonly originalTimestamp?: string | number | Date
  readonly properties?: Readonly<Record<string, unknown>>
  /** `identify`: of the user; `group`: of the community (`leaderId` names its leader). */
  readonly traits?: Readonly<Record<string, unknown>>
  /** `externalIds`: what else the user is known by, as `{ type: 'openid', id: 'o-1' }`. The rest is not kept. */
  readonly context?: Readonly<Record<string, unknown>>
}

/** Stable names of why an event was refused. */
export type RejectionCode =
  | 'event.shape'
  | 'event.type'
  | 'event.name'
  | 'event.messageId'
  | 'event.subject'
  | 'event.reserved'
  | 'event.identifier'
  | 'event.time'
  | 'event.future'
  | 'event.too_old'
  | 'event.too_large'
  | 'event.too_deep'
  | 'event.too_many_keys'
  | 'event.number'
  | 'event.text'
  | 'event.key'
  | 'event.value'
  | 'event.failed'
  /** It is of somebody who was erased, by one of the names they had. */
  | 'person.erased'

export interface Rejection {
  readonly code: RejectionCode
  /** What was found and what would be right; never the value itself. */
  readonly message: string
}

/** What became of one event. */
export type EventResult =
  | { readonly status: 'accepted'; readonly messageId: string }
  | {
      readonly status: 'duplicate'
      readonly messageId: string
      /** It says something else than the event of this id that was taken in. That one stands. */
      readonly conflict?: true
    }
  | ({ readonly status: 'rejected'; readonly messageId: string | undefined } & Rejection)

export interface IngestReport {
  readonly accepted: number
  readonly duplicates: number
  readonly rejected: number
  /** One result for each event, in the order given. */
  readonly results: readonly EventResult[]
}
