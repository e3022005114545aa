import type { SubjectKind } from '@linli/rules'
import { type RawBuilder, sql } from 'kysely'
import type { StepSource } from '../../domain/subject.js'
import type {
  Delivery,
  DeliveryBody,
  DeliveryKind,
  DeliveryName,
  DeliveryState,
  StoreReads,
} from '../../ports/store.js'
import { type Int8, intArray, isOneOf, textArray, textLines, toInstant } from './parameters.js'
import type { Session } from './session.js'

export interface DeliveryRow {
  readonly key: string
  readonly kind: DeliveryKind
  readonly state: DeliveryState
  readonly subject_kind: SubjectKind
  readonly subject: string
  readonly source: string
  readonly due_at: Int8 | null
  readonly claim: number
  readonly attempt: number
  readonly planned_at: Int8
  readonly body: string
  readonly provider_id: string | null
  readonly reason: string | null
}

export const COLUMNS = sql`delivery.key, delivery.kind, delivery.state, delivery.subject_kind, delivery.subject, delivery.source,
  delivery.due_at, delivery.claim, delivery.attempt, delivery.planned_at, delivery.body, delivery.provider_id,
  delivery.reason`

export async function addDeliveries(session: Session, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length === 0) return
  await session.write(sql`
    insert into ${session.tables.delivery} (
      key, kind, state, subject_kind, subject, source, due_at, claim, attempt, planned_at, body, recipient,
      provider_id, reason, channel
    )
    select * from unnest(
      ${textArray(deliveries.map(({ key }) => key))}::text[],
      ${textArray(deliveries.map(({ kind }) => kind))}::text[],
      ${textArray(deliveries.map(({ state }) => state))}::text[],
      ${textArray(deliveries.map(({ subject }) => subject.kind))}::text[],
      ${textArray(deliveries.map(({ subject }) => subject.id))}::text[],
      string_to_array(${textLines(deliveries.map(({ source }) => JSON.stringify(source)))}, chr(10)),
      ${intArray(deliveries.map(({ dueAt }) => dueAt))}::int8[],
      ${intArray(deliveries.map(({ claim }) => claim))}::int4[],
      ${intArray(deliveries.map(({ attempt }) => attempt))}::int4[],
      ${intArray(deliveries.map(({ plannedAt }) => plannedAt))}::int8[],
      string_to_array(${textLines(deliveries.map(({ body }) => JSON.stringify(body)))}, chr(10)),
      ${textArray(deliveries.map(({ body }) => body.to))}::text[],
      ${textArray(deliveries.map(({ providerId }) => providerId))}::text[],
      ${textArray(deliveries.map(({ reason }) => reason))}::text[],
      ${textArray(deliveries.map(({ body }) => body.channel ?? ''))}::text[]
    ) as added (key)
    order by key collate "C"
    on conflict do nothing
  `)
  willBeDue(session, deliveries)
}

/** Has this process look there for them. */
function willBeDue(session: Session, deliveries: readonly Delivery[]): void {
  const { deliveries: marks } = session.marks
  const kept = () => {
    for (const { dueAt, body } of deliveries)
      if (dueAt !== undefined) marks.add(dueAt, body.channel ?? '', session.lastTold)
  }
  session.atEnd({ kept })
}

// In the order of keys, as all who lock several.
export async function handBackDeliveries(session: Session, at: number): Promise<number> {
  session.atEnd({ kept: () => session.marks.deliveries.add(at) })
  return session.write(sql`
    update ${session.tables.delivery} set due_at = ${at}
    where key in (
      select key from ${session.tables.delivery}
      where state = 'reserved' and due_at > ${at} order by key for update
    )
  `)
}

export async function lockDeliveries(
  session: Session,
  claims: readonly { readonly key: string; readonly claim: number }[],
): Promise<readonly Delivery[]> {
  if (claims.length === 0) return []
  const rows = await session.rows(sql<DeliveryRow>`
    select delivery.* from (
      select distinct key collate "C" as key, claim from unnest(
        ${textArray(claims.map(({ key }) => key))}::text[], ${intArray(claims.map(({ claim }) => claim))}::int4[]
      ) as held (key, claim)
      order by 1
    ) as held cross join lateral (
      select ${COLUMNS} from ${session.tables.delivery} as delivery
      where delivery.key = held.key and delivery.claim = held.claim for update
    ) as delivery
  `)
  return rows.map(toDelivery)
}

// Rows are locked in the order of the sort, and the keys are found before.
export async function lockNamedDeliveries(
  session: Session,
  names: readonly DeliveryName[],
): Promise<readonly Delivery[]> {
  if (names.length === 0) return []
  const keys = names.flatMap((name) => ('key' in name ? [name.key] : []))
  const foreign = names.flatMap((name) => ('key' in name ? [] : [name]))
  const { delivery } = session.tables
  const rows = await session.rows(sql<DeliveryRow>`
    select ${COLUMNS} from ${delivery} as delivery where key in (
      select unnest(${textArray(keys)}::text[])
      union all
      select named.key from unnest(
        ${textArray(foreign.map(({ channel }) => channel))}::text[],
        ${textArray(foreign.map(({ providerId }) => providerId))}::text[]
      ) as name (channel, provider_id)
      join ${delivery} as named on named.provider_id = name.provider_id and named.channel = name.channel
    ) order by key for update
  `)
  return rows.map(toDelivery)
}

export async function channelsUnderWay(session: Session, channels: readonly string[]): Promise<ReadonlySet<string>> {
  if (channels.length === 0) return new Set()
  const rows = await session.rows(sql<{ channel: string }>`
    select channel from (select distinct unnest(${textArray(channels)}::text[]) as channel) as asked
    where exists (
      select from ${session.tables.delivery} as delivery
      where delivery.channel = asked.channel and delivery.state in ('calling', 'unknown')
    )
  `)
  return new Set(rows.map(({ channel }) => channel))
}

export async function saveDeliveries(session: Session, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length === 0) return
  await session.write(sql`
    update ${session.tables.delivery} as delivery
    set state = saved.state, due_at = saved.due_at, attempt = saved.attempt, body = saved.body,
      recipient = saved.recipient, provider_id = saved.provider_id, reason = saved.reason
    from unnest(
      ${textArray(deliveries.map(({ key }) => key))}::text[],
      ${textArray(deliveries.map(({ state }) => state))}::text[],
      ${intArray(deliveries.map(({ dueAt }) => dueAt))}::int8[],
      ${intArray(deliveries.map(({ attempt }) => attempt))}::int4[],
      string_to_array(${textLines(deliveries.map(({ body }) => JSON.stringify(body)))}, chr(10)),
      ${textArray(deliveries.map(({ body }) => body.to))}::text[],
      ${textArray(deliveries.map(({ providerId }) => providerId))}::text[],
      ${textArray(deliveries.map(({ reason }) => reason))}::text[]
    ) as saved (key, state, due_at, attempt, body, recipient, provider_id, reason)
    where delivery.key = saved.key
  `)
  willBeDue(session, deliveries)
}

// Who waits for the same rows looks at them again once they are free, and leaves out those that are released.
export async function releaseDeliveries(
  session: Session,
  still: readonly string[],
  at: number,
  limit: number,
): Promise<number> {
  session.atEnd({ kept: () => session.marks.deliveries.add(at) })
  return session.write(sql`
    update ${session.tables.delivery} set state = 'retry_at', due_at = ${at}
    where key in (
      select key from ${session.tables.delivery}
      where state = 'paused' and reason <> all(${textArray(still)}::text[]) order by key limit ${limit} for update
    )
  `)
}

// The oldest are found by when they were planned; only of those are bodies read.
export async function forgetDeliveries(session: Session, until: number, limit: number): Promise<number> {
  const { delivery } = session.tables
  return session.write(sql`
    delete from ${delivery} where key in (
      select key from ${delivery} as delivery
      where planned_at <= ${until} and due_at is null and state in ('accepted', 'rejected', 'failed', 'suppressed')
        and coalesce((body::json ->> 'firstCalledAt')::int8, 0) <= ${until}
        and coalesce((body::json #>> '{receipts,-1,at}')::int8, 0) <= ${until}
      limit ${limit} for update skip locked
    )
  `)
}

export async function readDeliveries(
  session: Session,
  filter: Parameters<StoreReads['readDeliveries']>[0],
): Promise<readonly Delivery[]> {
  const { subjects, kind, state, to } = filter
  const conditions: RawBuilder<unknown>[] = [sql`true`]
  if (subjects !== undefined) conditions.push(isOneOf(subjects))
  if (kind !== undefined) conditions.push(sql`kind = ${kind}`)
  if (state !== undefined) conditions.push(sql`state = ${state}`)
  if (to !== undefined) conditions.push(sql`recipient = ${to}`)
  const rows = await session.rows(sql<DeliveryRow>`
    select ${COLUMNS} from ${session.tables.delivery} as delivery
    where ${sql.join(conditions, sql` and `)} order by planned_at, key
  `)
  return rows.map(toDelivery)
}

export async function countDoubtful(session: Session): ReturnType<StoreReads['countDoubtful']> {
  const [row] = await session.rows(sql<{ readonly parked: Int8; readonly unknown: Int8 }>`
    select count(*) filter (where state = 'parked') as parked, count(*) filter (where state = 'unknown') as unknown
    from ${session.tables.delivery} where state in ('parked', 'unknown')
  `)
  return { parked: Number(row?.parked), unknown: Number(row?.unknown) }
}

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    key: row.key,
    kind: row.kind,
    state: row.state,
    subject: { kind: row.subject_kind, id: row.subject },
    source: JSON.parse(row.source) as StepSource,
    dueAt: toInstant(row.due_at),
    claim: row.claim,
    attempt: row.attempt,
    plannedAt: Number(row.planned_at),
    body: JSON.parse(row.body) as DeliveryBody,
    ...(row.provider_id === null ? {} : { providerId: row.provider_id }),
    ...(row.reason === null ? {} : { reason: row.reason }),
  }
}
