import {
  CompiledQuery,
  type DatabaseIntrospector,
  Kysely,
  type Migration,
  Migrator,
  PostgresAdapter,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  type SchemaMetadata,
  sql,
  type Transaction,
} from 'kysely'
import type { TablesFound } from '../../ports/store.js'
import type { Tables } from './tables.js'

/** The table of the migrations that have been made. */
const MIGRATIONS = 'migration'

/**
 * Creates or upgrades the tables, in one transaction. Processes that do so at once wait for one another by a lock that
 * ends with the transaction; kysely's own belongs to the session, and outlives it behind a connection pooler.
 */
export async function migrate(db: Kysely<unknown>, tables: Tables): Promise<void> {
  await db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (trx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`linli.migration/${tables.schema}`}::text, 0))`.execute(
        trx,
      )
      const migrator = new Migrator({
        db: new Kysely<unknown>({ dialect: new InsideTransaction(poolOf(trx), tables.schema) }),
        provider: { getMigrations: async () => migrations(tables) },
        migrationTableSchema: tables.schema,
        migrationTableName: MIGRATIONS,
        migrationLockTableName: 'migration_lock',
        disableTransactions: true,
      })
      const { error } = await migrator.migrateToLatest()
      if (error !== undefined) throw error
    })
}

/** Looks which migrations have been made. */
export async function tablesFound(db: Kysely<unknown>, tables: Tables): Promise<TablesFound> {
  const { rows } = await sql`
    select 1 from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = ${tables.schema} and relname = ${MIGRATIONS} and relkind = 'r'
  `.execute(db)
  if (rows.length === 0) return 'none'
  const made = await sql<{ name: string }>`select name from ${sql.id(tables.schema, MIGRATIONS)}`.execute(db)
  const names = new Set(made.rows.map(({ name }) => name))
  const known = Object.keys(migrations(tables))
  if (known.some((name) => !names.has(name))) return 'older'
  return names.size > known.length ? 'newer' : 'current'
}

/** Lets the migrator work inside a transaction that holds the lock, and look at one schema only. */
class InsideTransaction extends PostgresDialect {
  readonly #schema: string

  constructor(pool: PostgresPool, schema: string) {
    super({ pool })
    this.#schema = schema
  }

  override createAdapter(): PostgresAdapter {
    return new LockedAlready()
  }

  // kysely's own would read every table of the host's database, four times.
  override createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    const schema = this.#schema
    const getSchemas = async () => {
      const found =
        await sql<SchemaMetadata>`select nspname as name from pg_namespace where nspname = ${schema}`.execute(db)
      return found.rows
    }
    const getTables = async () => {
      const { rows } = await sql<{ name: string }>`
        select relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = ${schema} and relkind = 'r'
      `.execute(db)
      return rows.map(({ name }) => ({ name, schema, isView: false, columns: [] }))
    }
    return { getSchemas, getTables, getMetadata: async () => ({ tables: await getTables() }) }
  }
}

class LockedAlready extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

/** A transaction in the shape of a pool, so that the migrator works inside it. */
function poolOf(trx: Transaction<unknown>): PostgresPool {
  const query = async (text: string, parameters: readonly unknown[]) => {
    const { rows, numAffectedRows } = await trx.executeQuery(CompiledQuery.raw(text, [...parameters]))
    return { command: 'UPDATE', rowCount: Number(numAffectedRows ?? 0), rows }
  }
  // The overload for cursors is never used.
  const client = { query: query as unknown as PostgresPoolClient['query'], release: () => undefined }
  return { connect: async () => client, end: async () => undefined }
}

/** By name; their order is the order of the names, and what was released is never changed. */
export function migrations(tables: Tables): Record<string, Migration> {
  return {
    '001-tables': { up: (db) => createTables(db, tables) },
    '002-versions': { up: (db) => addVersions(db, tables) },
    '003-identity': { up: (db) => addIdentity(db, tables) },
    '004-baselines': { up: (db) => createBaselines(db, tables) },
    '005-retention': { up: (db) => addRetention(db, tables) },
    '006-fates': { up: (db) => addFates(db, tables) },
    '007-order-of-what-is-due': { up: (db) => orderWhatIsDue(db, tables) },
    '008-halts': { up: (db) => addHalts(db, tables) },
    '009-runs': { up: (db) => addRuns(db, tables) },
    '010-delivery-channels': { up: (db) => addDeliveryChannels(db, tables) },
    '011-tombstones': { up: (db) => createTombstones(db, tables) },
    '012-doubtful-deliveries': { up: (db) => addDoubtful(db, tables) },
    '013-receipts': { up: (db) => addReceipts(db, tables) },
    '014-offers': { up: (db) => addOffers(db, tables) },
    '015-channel-calls': { up: (db) => createCalls(db, tables) },
    '016-tallies': { up: (db) => createTallies(db, tables) },
    '017-delivery-retention': { up: (db) => addDeliveryRetention(db, tables) },
    '018-subject-revisions': { up: (db) => addSubjectRevisions(db, tables) },
    '019-decision-retention': { up: (db) => addDecisionRetention(db, tables) },
  }
}

/** One row for each kind of subject that is compared. */
async function createBaselines(db: Kysely<unknown>, { baseline }: Tables): Promise<void> {
  await sql`create table ${baseline} (kind text collate "C" primary key, due_at int8, body text)`.execute(db)
}

// Text is compared byte by byte: quicker, and in the same order on every server. States are text because PostgreSQL
// would only spend time on understanding them; their rows have room to be rewritten in place.
async function createTables(db: Kysely<unknown>, tables: Tables): Promise<void> {
  const statements = [
    sql`create table ${tables.event} (
      message_id text collate "C" primary key, user_id text collate "C" not null, at int8 not null, body text not null
    )`,
    sql`create index event_user on ${tables.event} (user_id, at)`,
    sql`create table ${tables.identity} (anonymous_id text collate "C" primary key, user_id text not null)`,
    sql`create table ${tables.subject} (
      kind text collate "C", id text collate "C", state text not null, due_at int8,
      community text collate "C", leader text collate "C",
      primary key (kind, id)
    ) with (fillfactor = 70)`,
    sql`create index subject_due on ${tables.subject} (due_at) where due_at is not null`,
    sql`create index subject_community on ${tables.subject} (community) where community is not null`,
    sql`create index subject_leader on ${tables.subject} (leader) where leader is not null`,
    sql`create table ${tables.inbox} (
      id int8 generated always as identity primary key, kind text not null, subject text not null, body text not null
    )`,
    sql`create table ${tables.decision} (
      subject text collate "C", id int8 generated always as identity, body text not null, primary key (subject, id)
    )`,
    sql`create table ${tables.delivery} (
      key text collate "C" primary key, kind text not null, state text not null,
      subject_kind text not null, subject text collate "C" not null, source text not null,
      due_at int8, claim int4 not null, attempt int4 not null, planned_at int8 not null,
      body text not null, recipient text collate "C", provider_id text, reason text
    ) with (fillfactor = 70)`,
    sql`create index delivery_due on ${tables.delivery} (due_at) where due_at is not null`,
    sql`create index delivery_subject on ${tables.delivery} (subject)`,
    sql`create index delivery_recipient on ${tables.delivery} (recipient) where recipient is not null`,
    sql`create table ${tables.pool} (
      offer text collate "C" primary key, issued int8 not null, total int8 not null, check (issued <= total)
    )`,
    sql`create table ${tables.coupon} (
      grant_key text collate "C" primary key, code text collate "C" not null unique, offer text collate "C" not null,
      subject_kind text not null, subject text collate "C" not null, issued_at int8 not null, body text not null
    )`,
    sql`create index coupon_subject on ${tables.coupon} (subject, offer)`,
    sql`create table ${tables.journey} (hash text collate "C" primary key, definition text not null)`,
  ]
  for (const statement of statements) await statement.execute(db)
}

// What was taken in before counts for the community and the leader that its user has now.
async function addVersions(db: Kysely<unknown>, tables: Tables): Promise<void> {
  const statements = [
    sql`create table ${tables.version} (
      number int4 primary key, hash text not null, definitions text not null, kept text not null,
      good_since text not null, published_at int8 not null, greet bool not null
    )`,
    sql`alter table ${tables.journey} add column since int4 not null default 0`,
    sql`alter table ${tables.subject} add column version int4 not null default 0`,
    sql`create index subject_version on ${tables.subject} (kind, version)`,
    sql`alter table ${tables.event} add column community text collate "C", add column leader text collate "C"`,
    sql`update ${tables.event} as event set community = subject.community, leader = subject.leader
      from ${tables.subject} as subject where subject.kind = 'user' and subject.id = event.user_id`,
    sql`create index event_community on ${tables.event} (community, at) where community is not null`,
    sql`create index event_leader on ${tables.event} (leader, at) where leader is not null`,
  ]
  for (const statement of statements) await statement.execute(db)
}

async function addIdentity(db: Kysely<unknown>, tables: Tables): Promise<void> {
  const statements = [
    sql`alter table ${tables.event} add column contradicted boolean not null default false`,
    sql`alter table ${tables.identity} rename column anonymous_id to name`,
    sql`update ${tables.identity} set name = 'anon:' || name`,
    sql`alter table ${tables.identity} alter column user_id type text collate "C"`,
    sql`create index identity_user on ${tables.identity} (user_id)`,
    sql`create table ${tables.merge} (
      id text collate "C" primary key, number int8 generated always as identity, at int8 not null,
      into_user text collate "C" not null, from_user text collate "C" not null,
      body text not null, into_state text not null, from_state text not null, undone_at int8
    )`,
    sql`create index merge_into on ${tables.merge} (into_user)`,
    sql`create index merge_from on ${tables.merge} (from_user)`,
  ]
  for (const statement of statements) await statement.execute(db)
}

// Events come in about the order in which they happened, so a few bytes for each hundred pages find the old ones.
async function addRetention(db: Kysely<unknown>, tables: Tables): Promise<void> {
  await sql`create index event_at on ${tables.event} using brin (at)`.execute(db)
}

async function addFates(db: Kysely<unknown>, { version }: Tables): Promise<void> {
  await sql`alter table ${version} add column fates text not null default '[]'`.execute(db)
}

// What is due at one instant is taken by name, as the store in memory does: then a simulation tells who gets the last coupon.
async function orderWhatIsDue(db: Kysely<unknown>, tables: Tables): Promise<void> {
  const statements = [
    sql`drop index ${sql.id(tables.schema, 'subject_due')}, ${sql.id(tables.schema, 'delivery_due')}`,
    sql`create index subject_due on ${tables.subject} (due_at, kind, id) where due_at is not null`,
    sql`create index delivery_due on ${tables.delivery} (due_at, key) where due_at is not null`,
  ]
  for (const statement of statements) await statement.execute(db)
}

async function addHalts(db: Kysely<unknown>, { version, delivery }: Tables): Promise<void> {
  await sql`alter table ${version} add column halts text not null default '[]', add column operation text`.execute(db)
  await sql`create index delivery_paused on ${delivery} (key) where state = 'paused'`.execute(db)
}

// Who is in which journey, and which runs: found without reading states. It changes only when somebody enters or leaves one.
async function addRuns(db: Kysely<unknown>, { subject }: Tables): Promise<void> {
  const statements = [
    sql`alter table ${subject} add column runs text[]`,
    sql`update ${subject} as subject set runs = array(
        select distinct name from json_array_elements(split_part(subject.state, chr(30), 1)::json -> 'runs') as run
        cross join lateral (values (run ->> 'journey'), ('run/' || (run ->> 'id'))) as names (name)
      ) where strpos(split_part(subject.state, chr(30), 1), '"runs":[') > 0`,
    sql`create index subject_runs on ${subject} using gin (runs) where runs is not null`,
  ]
  for (const statement of statements) await statement.execute(db)
}

// What is due is taken channel by channel; what no channel carries has none.
async function addDeliveryChannels(db: Kysely<unknown>, { schema, delivery }: Tables): Promise<void> {
  const statements = [
    sql`alter table ${delivery} add column channel text collate "C" not null default ''`,
    sql`update ${delivery} set channel = body::json ->> 'channel' where body::json ->> 'channel' is not null`,
    sql`drop index ${sql.id(schema, 'delivery_due')}`,
    sql`create index delivery_due on ${delivery} (channel, due_at, key) where due_at is not null`,
  ]
  for (const statement of statements) await statement.execute(db)
}

async function createTombstones(db: Kysely<unknown>, { tombstone, tombstoneKey }: Tables): Promise<void> {
  const statements = [
    sql`create table ${tombstone} (hash text collate "C" primary key, person text collate "C" not null, at int8 not null)`,
    sql`create index tombstone_person on ${tombstone} (person)`,
    // One row at most.
    sql`create table ${tombstoneKey} (is_one bool primary key default true check (is_one), key text not null)`,
  ]
  for (const statement of statements) await statement.execute(db)
}

// Few among many: counted each time somebody asks how an engine is.
async function addDoubtful(db: Kysely<unknown>, { delivery }: Tables): Promise<void> {
  await sql`create index delivery_doubtful on ${delivery} (state) where state in ('parked', 'unknown')`.execute(db)
}

// Receipts name messages by what their provider calls them, and may come before its answer has been written down.
async function addReceipts(db: Kysely<unknown>, { delivery }: Tables): Promise<void> {
  await sql`create index delivery_provider on ${delivery} (provider_id, channel) where provider_id is not null`.execute(
    db,
  )
  await sql`create index delivery_under_way on ${delivery} (channel) where state in ('calling', 'unknown')`.execute(db)
}

// What a pool has loaded is counted beside it, so that nobody counts codes to give one. A coupon that an issuer has yet to
// answer for has no code.
async function addOffers(db: Kysely<unknown>, { pool, code, spending, coupon }: Tables): Promise<void> {
  const statements = [
    sql`alter table ${pool} add column loaded int8 not null default 0`,
    sql`create table ${code} (
      code text collate "C" primary key, offer text collate "C" not null, id int8 generated always as identity,
      given bool not null default false
    )`,
    sql`create index coupon_code_left on ${code} (offer, id) where not given`,
    sql`create table ${spending} (
      offer text collate "C", slot int8, spent int8 not null check (spent >= 0), primary key (offer, slot)
    )`,
    sql`alter table ${coupon} alter column code drop not null, add column redeemed_at int8, add column redeemed_by text`,
    sql`create index coupon_by_hash on ${coupon} (hashtextextended(code, 0))`,
  ]
  for (const statement of statements) await statement.execute(db)
}

// One row for each channel that has a rate, written at every batch: it has room to be rewritten in place.
async function createCalls(db: Kysely<unknown>, { calls }: Tables): Promise<void> {
  await sql`create table ${calls} (
    channel text collate "C" primary key, free_at int8 not null default 0, body text not null default '[]'
  ) with (fillfactor = 50)`.execute(db)
}

// A stretch is rewritten in place, with each batch of messages.
async function createTallies(db: Kysely<unknown>, { counter, tally }: Tables): Promise<void> {
  const statements = [
    sql`create table ${counter} (counter text collate "C" primary key)`,
    sql`create table ${tally} (
      counter text collate "C", starts int8, ends int8, taken int8 not null, made int8 not null,
      primary key (counter, starts, ends)
    ) with (fillfactor = 50)`,
  ]
  for (const statement of statements) await statement.execute(db)
}

// Deliveries are planned in about the order of their rows, so a few bytes for each hundred pages find the old ones.
async function addDeliveryRetention(db: Kysely<unknown>, { delivery }: Tables): Promise<void> {
  await sql`create index delivery_planned_at on ${delivery} using brin (planned_at)`.execute(db)
}

// Whoever looks for a row by its key begins with what was written last, and need not pass over what it was before. That there is
// one row for each key is kept by a table of its own.
async function addSubjectRevisions(db: Kysely<unknown>, { subject, subjectKey }: Tables): Promise<void> {
  const statements = [
    sql`create table ${subjectKey} (kind text collate "C", id text collate "C", primary key (kind, id))`,
    sql`insert into ${subjectKey} (kind, id) select kind, id from ${subject}`,
    sql`alter table ${subject} add column revision int8 not null default 0`,
    sql`alter table ${subject} drop constraint subject_pkey, add primary key (kind, id, revision)`,
  ]
  for (const statement of statements) await statement.execute(db)
}

async function addDecisionRetention(db: Kysely<unknown>, { decision }: Tables): Promise<void> {
  const statements = [
    sql`alter table ${decision} add column at int8`,
    sql`update ${decision} set at = (body::json ->> 'at')::int8`,
    sql`alter table ${decision} alter column at set not null`,
    sql`create index decision_at on ${decision} using brin (at)`,
  ]
  for (const statement of statements) await statement.execute(db)
}
