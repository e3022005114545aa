import type { IdentityLink, MergeRecord } from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { compareText } from '../text-order.js'
import { Staged } from './staged.js'
import type { MemoryTables } from './tables.js'

/** Whom names belong to, and who turned out to be one, as a transaction changes it. */
export class StagedIdentities {
  readonly #tables: MemoryTables
  readonly #names: Staged<string>
  readonly #merges: Staged<MergeRecord>

  constructor(tables: MemoryTables) {
    this.#tables = tables
    this.#names = new Staged(tables.identities)
    this.#merges = new Staged(tables.merges)
  }

  commit(): void {
    const tables = this.#tables
    for (const [name, userId] of this.#names.changes) tables.putIdentity(name, userId)
    for (const [id, merge] of this.#merges.changes) {
      if (merge === undefined) tables.merges.delete(id)
      else tables.merges.set(id, merge)
    }
  }

  resolve(names: readonly string[]): ReadonlyMap<string, string> {
    const found = new Map<string, string>()
    for (const name of names) {
      const userId = this.#names.get(name)
      if (userId !== undefined) found.set(name, userId)
    }
    return found
  }

  link(links: readonly IdentityLink[]): void {
    for (const { name, userId } of links) {
      if (this.#names.get(name) !== undefined) throw conflict('A name belongs to somebody already.', { name })
      this.#names.set(name, userId)
    }
  }

  of(userId: string): readonly string[] {
    const names = new Set(this.#tables.namesOf(userId))
    for (const [name] of this.#names.changes) names.add(name)
    return [...names].filter((name) => this.#names.get(name) === userId).sort(compareText)
  }

  relink(names: readonly string[], userId: string): void {
    for (const name of names) if (this.#names.get(name) !== undefined) this.#names.set(name, userId)
  }

  addMerge(merge: MergeRecord): void {
    this.#merges.set(merge.id, merge)
  }

  undoMerge(id: string, at: number): MergeRecord | undefined {
    const merge = this.#merges.get(id)
    if (merge === undefined || merge.undoneAt !== undefined) return undefined
    const undone = { ...merge, undoneAt: at }
    this.#merges.set(id, undone)
    return undone
  }

  /** Nobody is known by a name of theirs any more, and no merge tells of them. */
  removeOf(userIds: readonly string[]): void {
    const wanted = new Set(userIds)
    for (const [name, userId] of this.#tables.identities) {
      if (wanted.has(name) || wanted.has(userId)) this.#names.set(name, undefined)
    }
    for (const { id, into, from } of this.#tables.merges.values()) {
      if (wanted.has(into) || wanted.has(from)) this.#merges.set(id, undefined)
    }
  }

  reviseMerges(userIds: readonly string[], revise: (before: MergeRecord['before']) => MergeRecord['before']): void {
    const wanted = new Set(userIds)
    for (const { id } of this.#tables.merges.values()) {
      const merge = this.#merges.get(id)
      if (merge === undefined || !(wanted.has(merge.into) || wanted.has(merge.from))) continue
      this.#merges.set(id, { ...merge, before: revise(merge.before) })
    }
  }
}
