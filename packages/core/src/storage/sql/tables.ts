import { type RawBuilder, sql } from 'kysely'

/** linli's tables, by their names in SQL. */
export interface Tables {
  /** The schema they are in. */
  readonly schema: string
  readonly event: RawBuilder<unknown>
  readonly identity: RawBuilder<unknown>
  readonly merge: RawBuilder<unknown>
  readonly subject: RawBuilder<unknown>
  /** One row for each subject, which never changes: so that there is one of each. */
  readonly subjectKey: RawBuilder<unknown>
  readonly inbox: RawBuilder<unknown>
  readonly decision: RawBuilder<unknown>
  readonly delivery: RawBuilder<unknown>
  readonly pool: RawBuilder<unknown>
  readonly coupon: RawBuilder<unknown>
  readonly code: RawBuilder<unknown>
  readonly spending: RawBuilder<unknown>
  /** One row for each thing that is counted: to be locked. */
  readonly counter: RawBuilder<unknown>
  readonly tally: RawBuilder<unknown>
  readonly journey: RawBuilder<unknown>
  readonly version: RawBuilder<unknown>
  readonly baseline: RawBuilder<unknown>
  readonly tombstone: RawBuilder<unknown>
  readonly tombstoneKey: RawBuilder<unknown>
  readonly calls: RawBuilder<unknown>
}

export function tablesIn(schema: string): Tables {
  return {
    schema,
    event: sql.id(schema, 'event'),
    identity: sql.id(schema, 'identity'),
    merge: sql.id(schema, 'merge'),
    subject: sql.id(schema, 'subject'),
    subjectKey: sql.id(schema, 'subject_key'),
    inbox: sql.id(schema, 'inbox'),
    decision: sql.id(schema, 'decision'),
    delivery: sql.id(schema, 'delivery'),
    pool: sql.id(schema, 'coupon_pool'),
    coupon: sql.id(schema, 'coupon'),
    code: sql.id(schema, 'coupon_code'),
    spending: sql.id(schema, 'coupon_spending'),
    counter: sql.id(schema, 'counter'),
    tally: sql.id(schema, 'tally'),
    journey: sql.id(schema, 'journey'),
    version: sql.id(schema, 'version'),
    baseline: sql.id(schema, 'baseline'),
    tombstone: sql.id(schema, 'tombstone'),
    tombstoneKey: sql.id(schema, 'tombstone_key'),
    calls: sql.id(schema, 'channel_calls'),
  }
}
