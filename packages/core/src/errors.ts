/** Stable names of what can go wrong, for hosts to branch on. */
export type EngineErrorCode =
  | 'engine.closed'
  | 'database.locked'
  | 'database.conflict'
  | 'database.missing'
  | 'database.unprepared'
  | 'database.unsupported'
  | 'database.schema'
  | 'channel.missing'
  | 'channel.duplicate'
  | 'channel.rate'
  | 'channel.unknown'
  | 'channel.invalid'
  | 'issuer.missing'
  | 'channel.close'
  | 'subject.unknown'
  | 'offer.codes'
  | 'code.invalid'
  | 'coupon.unknown'
  | 'coupon.expired'
  | 'coupon.redeemed'
  | 'coupon.foreign'
  | 'rule.unknown'
  | 'run.unknown'
  | 'merge.unknown'
  | 'retention.invalid'
  | 'delivery.unknown'
  | 'delivery.settled'
  | 'decision.unknown'
  | 'outcomes.invalid'
  | 'transaction.unsupported'
  | 'journey.entry'
  | 'journey.property'
  | 'rules.none'
  | 'rules.unreadable'
  | 'redis.missing'
  | 'redis.bullmq'
  | 'redis.version'
  | 'redis.eviction'
  | 'redis.database'
  | 'redis.away'
  | 'work.overdue'
  | 'unsubscribe.missing'
  | 'unsubscribe.secret'
  | 'unsubscribe.token'

/** Something the engine cannot do, with a stable code and the facts as fields. */
export class EngineError extends Error {
  constructor(
    readonly code: EngineErrorCode,
    message: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'EngineError'
  }
}
