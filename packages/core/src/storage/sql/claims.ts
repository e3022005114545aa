import { type RawBuilder, sql } from 'kysely'
import type { Delivery, StoreTransaction } from '../../ports/store.js'
import { COLUMNS, type DeliveryRow, toDelivery } from './deliveries.js'
import type { Place } from './due-marks.js'
import { type Int8, intArray, textArray } from './parameters.js'
import type { Session } from './session.js'

/**
 * What is due, channel by channel: the index gives the channels one after the other, and of each those that are due first. So
 * a channel with a long backlog costs no more than the few that there is room for. Channels that are known are not looked for,
 * which would lead through all their dead entries: only those between them are.
 */
export function channelsInUse({ tables, marks }: Session): RawBuilder<unknown> {
  const known = ['', ...marks.deliveries.places.keys()]
  return sql`lane (channel, upto) as (
    select channel, coalesce(lead(channel) over (order by channel), ${LAST_NAME})
    from (select distinct channel collate "C" as channel from unnest(${textArray(known)}::text[]) as channel) as known
    union all
    select next.channel, lane.upto from lane cross join lateral (
      select channel from ${tables.delivery} as delivery
      where due_at is not null and delivery.channel > lane.channel and delivery.channel < lane.upto
      order by channel limit 1
    ) as next
  )`
}

/** No channel's name comes after it. */
const LAST_NAME = '\u{10ffff}'

/** Where to begin in each channel, as a table. */
export function deliveryMarks(places: ReadonlyMap<string, Place>): RawBuilder<unknown> {
  const marks = [...places]
  return sql`unnest(
    ${textArray(marks.map(([channel]) => channel))}::text[],
    ${intArray(marks.map(([, { dueAt }]) => dueAt))}::int8[],
    ${textArray(marks.map(([, { names }]) => names[0] ?? ''))}::text[]
  ) as mark (channel, due_at, key)`
}

/** Whether a delivery comes after its channel's mark. */
export const AFTER_MARK = sql`(delivery.due_at, delivery.key)
  > (coalesce(mark.due_at, ${Number.MIN_SAFE_INTEGER}::int8), coalesce(mark.key, ''))`

export async function claimDeliveries(
  session: Session,
  ...[until, limit, leaseUntil, room = new Map()]: Parameters<StoreTransaction['claimDeliveries']>
): Promise<readonly Delivery[]> {
  const { deliveries: marks } = session.marks
  const search = async (from: ReadonlyMap<string, Place>) => {
    const rows = await claimAfter(session, from, { until, limit, leaseUntil, room })
    const isAll = rows.length < limit
    return { rows, emptied: isAll ? [...from.keys()].filter((channel) => !room.has(channel)) : [] }
  }
  const placeOf = ({ channel, was_due_at, key }: ClaimedRow): readonly [string, Place] => [
    channel,
    { dueAt: Number(was_due_at), names: [key] },
  ]
  session.atEnd({ lost: () => marks.reset() })
  return (await marks.take(until, search, placeOf)).map(toDelivery)
}

interface ClaimedRow extends DeliveryRow {
  readonly channel: string
  readonly was_due_at: Int8
}

// "calling" that is due again was never answered: the process that called is gone. The rows are found by an array of keys: of a
// join the planner expects as many rows as the limit says, and reads the whole table where it is small.
function claimAfter(
  session: Session,
  from: ReadonlyMap<string, Place>,
  { until, limit, leaseUntil, room }: Claiming,
): Promise<readonly ClaimedRow[]> {
  const { delivery } = session.tables
  return session.rows(sql<ClaimedRow>`
    with recursive ${channelsInUse(session)}, candidate as materialized (
      select due.* from lane
      left join unnest(${textArray([...room.keys()])}::text[], ${intArray([...room.values()])}::int4[])
        as room (channel, free) on room.channel = lane.channel
      left join ${deliveryMarks(from)} on mark.channel = lane.channel
      cross join lateral (
        select key, due_at from ${delivery} as delivery
        where delivery.channel = lane.channel and due_at <= ${until} and ${AFTER_MARK}
        order by due_at, key limit least(${limit}::int4, room.free) for update skip locked
      ) as due
    ), due as (
      select * from candidate order by due_at, key limit ${limit}
    ), claimed as (
      update ${delivery} as delivery
      set claim = delivery.claim + 1, due_at = ${leaseUntil},
        state = case when delivery.state in ('calling', 'unknown') then 'unknown' else 'reserved' end
      where delivery.key = any(array(select key from due))
      returning ${COLUMNS}, delivery.channel
    )
    select claimed.*, due.due_at as was_due_at from claimed join due on due.key = claimed.key order by was_due_at, due.key
  `)
}

interface Claiming {
  readonly until: number
  readonly limit: number
  readonly leaseUntil: number
  readonly room: ReadonlyMap<string, number>
}
