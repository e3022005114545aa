import type { RelationName, SubjectKind } from '@linli/rules'
import { type SubjectKey, type SubjectState, subjectName, UNBORN } from '../../domain/subject.js'
import type { LockedSubject, SavedSubject } from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { compareText } from '../text-order.js'
import { Staged } from './staged.js'
import { type MemoryTables, relationIndex, type SubjectValue } from './tables.js'

/** What a transaction does to subjects. */
export class StagedSubjects {
  readonly #tables: MemoryTables
  readonly #changes: Staged<SubjectValue>

  constructor(tables: MemoryTables) {
    this.#tables = tables
    this.#changes = new Staged<SubjectValue>(tables.subjects)
  }

  commit(): void {
    for (const [name, value] of this.#changes.changes) {
      if (value === undefined) this.#tables.removeSubject(name)
      else this.#tables.putSubject(name, value)
    }
  }

  lock(keys: readonly SubjectKey[]): readonly LockedSubject[] {
    return keys.map((key) => {
      const row = this.#changes.get(subjectName(key))
      return row === undefined ? { key, state: UNBORN, dueAt: undefined, isNew: true, version: 0 } : toLocked(row)
    })
  }

  save(subjects: readonly SavedSubject[], version: number): void {
    for (const subject of subjects) {
      const name = subjectName(subject.key)
      const exists = this.#changes.get(name) !== undefined
      if (exists === subject.isNew) {
        const change = exists ? 'created' : 'removed'
        throw conflict(`Subject ${name} was ${change} since it was locked.`, { subject: name })
      }
      const { key, state, dueAt } = subject
      this.#changes.set(name, { key, state, dueAt, version })
    }
  }

  outdate(keys: readonly SubjectKey[]): void {
    for (const name of keys.map(subjectName)) {
      const row = this.#changes.get(name)
      if (row !== undefined) this.#changes.set(name, { ...row, version: -Math.abs(row.version) })
    }
  }

  remove(key: SubjectKey): void {
    this.#changes.set(subjectName(key), undefined)
  }

  takeDue(until: number, limit: number): readonly LockedSubject[] {
    const staged = [...this.#changes.changes]
    // A row that this transaction changed counts as it is now, not as it is in the queue.
    const committed = this.#tables.dueSubjects.due(until, limit + staged.length)
    const due: SubjectValue[] = committed.filter(({ name }) => !this.#changes.isChanged(name))
    for (const [, value] of staged) if (value?.dueAt !== undefined && value.dueAt <= until) due.push(value)
    const byName = (a: SubjectValue, b: SubjectValue) => compareText(subjectName(a.key), subjectName(b.key))
    if (staged.length > 0) due.sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0) || byName(a, b))
    return due.slice(0, limit).map(toLocked)
  }

  takeOutdated(kind: SubjectKind, version: number, limit: number): readonly LockedSubject[] {
    const outdated: LockedSubject[] = []
    for (const [name, row] of this.#tables.subjects) {
      if (outdated.length === limit) break
      const value = this.#changes.get(name)
      if (row.key.kind === kind && value !== undefined && value.version < version) outdated.push(toLocked(value))
    }
    return outdated
  }

  addMissingRelated(): void {
    for (const kind of ['community', 'leader'] as const) {
      for (const id of this.#tables.events.countedFor(kind)) {
        const key = { kind, id }
        if (this.#changes.get(subjectName(key)) !== undefined) continue
        this.#changes.set(subjectName(key), { key, state: UNBORN, dueAt: undefined, version: 0 })
      }
    }
  }

  peek(keys: readonly SubjectKey[]): readonly { key: SubjectKey; state: SubjectState }[] {
    const found: { key: SubjectKey; state: SubjectState }[] = []
    for (const key of keys) {
      const row = this.#changes.get(subjectName(key))
      if (row !== undefined) found.push({ key, state: row.state })
    }
    return found
  }

  relatedTo(kind: SubjectKind, relation: RelationName, id: string): readonly SubjectKey[] {
    const keys: SubjectKey[] = []
    for (const row of this.#tables.related.get(relationIndex(kind, relation, id)) ?? []) {
      if (!this.#changes.isChanged(row.name)) keys.push(row.key)
    }
    for (const [, value] of this.#changes.changes) {
      if (value?.key.kind === kind && value.state.relations[relation]?.[0] === id) keys.push(value.key)
    }
    return keys.sort((a, b) => compareText(a.id, b.id))
  }

  list(
    kind: SubjectKind,
    after: string | undefined,
    limit: number,
  ): readonly { key: SubjectKey; state: SubjectState }[] {
    const found = new Map<string, SubjectState>()
    for (const [id, { state }] of this.#tables.rowsOf(kind)) found.set(id, state)
    for (const [, value] of this.#changes.changes) if (value?.key.kind === kind) found.set(value.key.id, value.state)
    const ids = [...found.keys()].filter((id) => after === undefined || compareText(id, after) > 0).sort(compareText)
    return ids.slice(0, limit).flatMap((id) => {
      const state = found.get(id)
      return state === undefined ? [] : [{ key: { kind, id }, state }]
    })
  }
}

function toLocked({ key, state, dueAt, version }: SubjectValue): LockedSubject {
  return { key, state, dueAt, isNew: false, version }
}
