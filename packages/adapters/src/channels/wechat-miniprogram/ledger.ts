import { thrownCode } from '../../http/errors.js'

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
  /** Somebody allowed one message more. Also: a message that was taken into account was not sent. */
  add(name: ConsentName): Promise<void>
  /** Takes one; false where there is none. Never gives the same one twice. */
  take(name: ConsentName): Promise<boolean>
  /** WeChat says that there is none. */
  clear(name: ConsentName): Promise<void>
}

/** For tests, and for a shop of one process that may lose it. */
export function memoryLedger(): ConsentLedger {
  const counts = new Map<string, number>()
  const keyOf = ({ openid, templateId }: ConsentName) => `${templateId} ${openid}`
  return {
    async add(name) {
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
export interface LedgerPool {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rowCount: number | null }>
}

const TABLE = /^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/

/**
 * In a table of your PostgreSQL, which is made where there is none. openids stand in it: erase a person's rows with the person.
 *
 * @throws {RangeError} `table` is no name of a table in lower case, with or without a schema.
 */
export function postgresLedger(pool: LedgerPool, table = 'linli_subscribe_consent'): ConsentLedger {
  if (!TABLE.test(table)) throw new RangeError('table should be a name in lower case, such as shop.subscribe_consent.')
  let made: Promise<unknown> | undefined
  const query = async (text: string, { openid, templateId }: ConsentName) => {
    made ??= pool
      .query(
        `create table if not exists ${table} (
          openid text not null, template text not null, left_over int not null check (left_over >= 0),
          primary key (openid, template))`,
      )
      .catch((error: unknown) => {
        made = undefined
        // Another process has made it at the same moment.
        if (!MADE_ALREADY.has(thrownCode(error))) throw error
      })
    await made
    return pool.query(text, [openid, templateId])
  }
  return {
    async add(name) {
      await query(
        `insert into ${table} (openid, template, left_over) values ($1, $2, 1)
         on conflict (openid, template) do update set left_over = ${table}.left_over + 1`,
        name,
      )
    },
    async take(name) {
      const text = `update ${table} set left_over = left_over - 1 where openid = $1 and template = $2 and left_over > 0`
      return (await query(text, name)).rowCount === 1
    },
    async clear(name) {
      await query(`delete from ${table} where openid = $1 and template = $2`, name)
    },
  }
}

/** PostgreSQL's `unique_violation` and `duplicate_table`. */
const MADE_ALREADY: ReadonlySet<unknown> = new Set(['23505', '42P07'])

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
