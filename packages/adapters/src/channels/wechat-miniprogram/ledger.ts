import { type TablePool, tableIn } from '../../postgres/table.js'

/** A person's permission to send so many messages of one template. */
export interface ConsentName {
  readonly openid: string
  readonly templateId: string
}

/**
 * How many messages each person has yet allowed. WeChat cannot be asked: whoever does not count asks people to allow what they
 * have allowed, or is refused. All processes need the same one.
 */
export interface ConsentLedger {
  /**
   * Somebody allowed one message more. Also: a message that was taken into account was not sent. `once`: what told of it, which may
   * tell again; of the same `once` only the first counts, for a day at least.
   */
  add(name: ConsentName, once?: string): Promise<void>
  /** Takes one; false where there is none. Never gives the same one twice. */
  take(name: ConsentName): Promise<boolean>
  /** WeChat says that there is none. */
  clear(name: ConsentName): Promise<void>
}

/** Who tells something twice does so within a minute. */
const REMEMBERED_MS = 2 * 24 * 60 * 60_000

/** For tests, and for a shop of one process that may lose it. */
export function memoryLedger(): ConsentLedger {
  const counts = new Map<string, number>()
  const seen = new Map<string, number>()
  const keyOf = ({ openid, templateId }: ConsentName) => `${templateId} ${openid}`
  return {
    async add(name, once) {
      for (const [key, at] of seen) if (at < Date.now() - REMEMBERED_MS) seen.delete(key)
      if (once !== undefined && seen.has(once)) return
      if (once !== undefined) seen.set(once, Date.now())
      counts.set(keyOf(name), (counts.get(keyOf(name)) ?? 0) + 1)
    },
    async take(name) {
      const count = counts.get(keyOf(name)) ?? 0
      if (count > 0) counts.set(keyOf(name), count - 1)
      return count > 0
    },
    async clear(name) {
      counts.delete(keyOf(name))
    },
  }
}

/** What is used of a pool of `pg`. */
export type LedgerPool = TablePool<{ readonly rowCount: number | null }>

/**
 * In a table of your PostgreSQL, which is made where there is none. openids stand in it: erase a person's rows with the person.
 * Beside it, a table `…_seen` remembers for two days what has been told, without anybody's name.
 *
 * @throws {RangeError} `table` is no name of a table in lower case, of 58 letters at most, with or without a schema.
 */
export function postgresLedger(pool: LedgerPool, table = 'linli_subscribe_consent'): ConsentLedger {
  let prunedAt = 0
  const query = tableIn(
    pool,
    table,
    `create table if not exists ${table} (
      openid text not null, template text not null, left_over int not null check (left_over >= 0),
      primary key (openid, template));
     create table if not exists ${table}_seen (once text primary key, at timestamptz not null default now())`,
  )
  const prune = async () => {
    if (Date.now() - prunedAt < PRUNE_EVERY_MS) return
    prunedAt = Date.now()
    await query(`delete from ${table}_seen where at < now() - $1 * interval '1 millisecond'`, [REMEMBERED_MS])
  }
  const addOne = `on conflict (openid, template) do update set left_over = ${table}.left_over + 1`
  return {
    async add({ openid, templateId }, once) {
      if (once === undefined) {
        await query(`insert into ${table} (openid, template, left_over) values ($1, $2, 1) ${addOne}`, [
          openid,
          templateId,
        ])
        return
      }
      await query(
        `with fresh as (insert into ${table}_seen (once) values ($3) on conflict do nothing returning once)
         insert into ${table} (openid, template, left_over) select $1, $2, 1 from fresh ${addOne}`,
        [openid, templateId, once],
      )
      await prune()
    },
    async take({ openid, templateId }) {
      const text = `update ${table} set left_over = left_over - 1 where openid = $1 and template = $2 and left_over > 0`
      return (await query(text, [openid, templateId])).rowCount === 1
    },
    async clear({ openid, templateId }) {
      await query(`delete from ${table} where openid = $1 and template = $2`, [openid, templateId])
    },
  }
}

const PRUNE_EVERY_MS = 60 * 60_000

/** What `wx.requestSubscribeMessage` gives, by template: `accept`, `acceptWithAudio`, `reject`, `ban`, `filter`. */
export type SubscribeResults = Readonly<Record<string, unknown>>

/** Writes down what somebody answered when the mini-program asked. Gives how many were allowed. */
export async function recordConsents(
  ledger: ConsentLedger,
  openid: string,
  results: SubscribeResults,
): Promise<number> {
  const allowed = Object.entries(results).filter(([, answer]) => answer === 'accept' || answer === 'acceptWithAudio')
  for (const [templateId] of allowed) await ledger.add({ openid, templateId })
  return allowed.length
}
