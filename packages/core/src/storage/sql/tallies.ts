import { sql } from 'kysely'
import type { Tally } from '../../domain/tallies.js'
import type { StoreTransaction } from '../../ports/store.js'
import { type Int8, intArray, textArray } from './parameters.js'
import type { Session } from './session.js'

interface TallyRow {
  readonly counter: string
  readonly starts: Int8
  readonly ends: Int8
  readonly taken: Int8
  readonly made: Int8
}

// The stretches are read by a statement of their own: it sees what was committed by whoever held the counters before.
export async function lockTallies(session: Session, counters: readonly string[]): Promise<readonly Tally[]> {
  if (counters.length === 0) return []
  const names = [...new Set(counters)]
  const held = new Set(await holdCounters(session, names))
  const missing = names.filter((name) => !held.has(name))
  if (missing.length > 0) {
    await session.write(sql`
      insert into ${session.tables.counter} (counter)
      select name from unnest(${textArray(missing)}::text[]) as name order by name collate "C" on conflict do nothing
    `)
    await holdCounters(session, missing)
  }
  const rows = await session.rows(sql<TallyRow>`
    select counter, starts, ends, taken, made from ${session.tables.tally}
    where counter = any(${textArray(names)}::text[])
  `)
  return rows.map(toTally)
}

async function holdCounters(session: Session, names: readonly string[]): Promise<readonly string[]> {
  const rows = await session.rows(sql<{ counter: string }>`
    select counter from ${session.tables.counter} where counter = any(${textArray(names)}::text[])
    order by counter for no key update
  `)
  return rows.map(({ counter }) => counter)
}

// Rows are locked in one order by all, so that nobody waits in a circle.
export async function addTallies(session: Session, changes: readonly Tally[]): Promise<ReadonlySet<string>> {
  const less = changes.filter(({ taken, made }) => taken < 0 || made < 0)
  const more = changes.filter(({ taken, made }) => taken >= 0 && made >= 0)
  if (less.length > 0) await takeAway(session, less, changes)
  if (more.length === 0) return new Set()
  const rows = await session.rows(sql<{ counter: string; is_new: boolean }>`
    insert into ${session.tables.tally} as tally (counter, starts, ends, taken, made)
    select * from ${rowsOf(more)} as more (counter, starts, ends, taken, made) order by counter collate "C", starts, ends
    on conflict (counter, starts, ends) do update
    set taken = tally.taken + excluded.taken, made = tally.made + excluded.made
    returning tally.counter, xmax = 0 as is_new
  `)
  return new Set(rows.filter(({ is_new }) => is_new).map(({ counter }) => counter))
}

async function takeAway(session: Session, less: readonly Tally[], all: readonly Tally[]): Promise<void> {
  const { tally } = session.tables
  await session.rows(sql`
    select from ${tally} as tally join ${rowsOf(all)} as changed (counter, starts, ends, taken, made)
      on tally.counter = changed.counter and tally.starts = changed.starts and tally.ends = changed.ends
    order by tally.counter, tally.starts, tally.ends for no key update of tally
  `)
  await session.write(sql`
    update ${tally} as tally set taken = tally.taken + less.taken, made = tally.made + less.made
    from ${rowsOf(less)} as less (counter, starts, ends, taken, made)
    where tally.counter = less.counter and tally.starts = less.starts and tally.ends = less.ends
  `)
}

function rowsOf(tallies: readonly Tally[]) {
  return sql`unnest(
    ${textArray(tallies.map(({ counter }) => counter))}::text[],
    ${intArray(tallies.map(({ from }) => from))}::int8[],
    ${intArray(tallies.map(({ until }) => until))}::int8[],
    ${intArray(tallies.map(({ taken }) => taken))}::int8[],
    ${intArray(tallies.map(({ made }) => made))}::int8[]
  )`
}

// What somebody else holds is left for the next time.
export async function dropTallies(
  session: Session,
  outdated: Parameters<StoreTransaction['dropTallies']>[0],
): Promise<void> {
  if (outdated.length === 0) return
  const { tally } = session.tables
  await session.write(sql`
    delete from ${tally} where (counter, starts, ends) in (
      select tally.counter, tally.starts, tally.ends from ${tally} as tally join unnest(
        ${textArray(outdated.map(({ counter }) => counter))}::text[],
        ${intArray(outdated.map(({ until }) => until))}::int8[]
      ) as outdated (counter, until) on tally.counter = outdated.counter and tally.ends <= outdated.until
      for update of tally skip locked
    )
  `)
}

export async function readTallies(session: Session): Promise<readonly Tally[]> {
  const rows = await session.rows(sql<TallyRow>`
    select counter, starts, ends, taken, made from ${session.tables.tally} order by counter, starts, ends
  `)
  return rows.map(toTally)
}

function toTally({ counter, starts, ends, taken, made }: TallyRow): Tally {
  return { counter, from: Number(starts), until: Number(ends), taken: Number(taken), made: Number(made) }
}
