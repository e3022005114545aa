import { createHmac, randomBytes } from 'node:crypto'
import type { StoreTransaction, Tombstone } from '../ports/store.js'

/** A secret for tombstones: 256 random bits. */
export function freshKey(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * A name (a user id, `anon:…`, `id:openid:…`) as tombstones keep it. Nobody can read the name back; who has the key, which is
 * in the database, can try whether a name that they guess was erased.
 */
export function hashName(key: string, name: string): string {
  return createHmac('sha256', key).update(name).digest('base64url')
}

/** Of which of these names people were erased: by name, the tombstone. */
export async function erasedAmong(
  tx: StoreTransaction,
  names: Iterable<string>,
): Promise<ReadonlyMap<string, Tombstone>> {
  const wanted = [...new Set(names)]
  if (wanted.length === 0) return new Map()
  const key = await tx.tombstoneKey()
  // Nobody was ever erased.
  if (key === undefined) return new Map()
  const byHash = new Map(wanted.map((name) => [hashName(key, name), name]))
  const found = await tx.readTombstones([...byHash.keys()])
  return new Map(found.map((tombstone) => [byHash.get(tombstone.hash) ?? '', tombstone]))
}

/** How decisions call somebody who was erased. */
export function erasedName({ person }: Pick<Tombstone, 'person'>): string {
  return `erased:${person}`
}
