import { type TablePool, tableIn } from '../../postgres/table.js'

/** A member of a customer group who is no member of the company. */
export interface GroupMember {
  readonly externalUserId: string
  /** Where the company is bound to a WeChat open platform account. */
  readonly unionid?: string
  /** Milliseconds since the epoch. With the group and the id, it names this stay in the group. */
  readonly joinedAt: number
  /** How: `invited`, by a `link`, by a `code`. */
  readonly scene?: string
}

export interface KnownGroup {
  /** What WeCom calls this list of members. */
  readonly version?: string
  readonly members: readonly GroupMember[]
}

/** Who was in each group when it was last looked at. All processes need the same one. */
export interface GroupMembers {
  /** Undefined: the group has never been looked at. */
  read(chatId: string): Promise<KnownGroup | undefined>
  write(chatId: string, group: KnownGroup): Promise<void>
  /** The group is no more. */
  forget(chatId: string): Promise<void>
}

/** For tests. What it forgets when the process ends is found again, but who left meanwhile is not. */
export function memoryGroupMembers(): GroupMembers {
  const groups = new Map<string, KnownGroup>()
  return {
    read: async (chatId) => groups.get(chatId),
    write: async (chatId, group) => void groups.set(chatId, group),
    forget: async (chatId) => void groups.delete(chatId),
  }
}

/** What is used of a pool of `pg`. */
export type GroupMembersPool = TablePool<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>

/**
 * In a table of your PostgreSQL, which is made where there is none. external_userids and unionids stand in it, for as long as people
 * are in the groups.
 *
 * @throws {RangeError} `table` is no name of a table in lower case, of 58 letters at most, with or without a schema.
 */
export function postgresGroupMembers(pool: GroupMembersPool, table = 'linli_wecom_groups'): GroupMembers {
  const query = tableIn(
    pool,
    table,
    `create table if not exists ${table} (chat_id text primary key, known jsonb not null, at timestamptz not null)`,
  )
  return {
    async read(chatId) {
      const { rows } = await query(`select known from ${table} where chat_id = $1`, [chatId])
      return rows[0]?.['known'] as KnownGroup | undefined
    },
    async write(chatId, group) {
      await query(
        `insert into ${table} (chat_id, known, at) values ($1, $2, now())
         on conflict (chat_id) do update set known = excluded.known, at = excluded.at`,
        [chatId, JSON.stringify(group)],
      )
    },
    async forget(chatId) {
      await query(`delete from ${table} where chat_id = $1`, [chatId])
    },
  }
}
