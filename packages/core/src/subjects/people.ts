import { type SubjectKey, type SubjectState, subjectName, UNBORN } from '../domain/subject.js'
import type { LockedSubject, LockOptions, StoreReads, StoreTransaction } from '../ports/store.js'
import { keysOf } from './persons.js'
import type { Edition, Programs } from './programs.js'
import { upToDate } from './up-to-date.js'

/** Locked subjects, where those who turned out to be others are followed to who they are now. */
export class People {
  private readonly rows = new Map<string, LockedSubject>()

  private constructor() {}

  /**
   * Locks subjects, and whom they turned out to be. Those come second, out of the order of keys: who waits in a circle for
   * it is run again. All are brought up to the rules in force; `taken` as there. With `passOver` some may be missing.
   */
  static async lock(
    tx: StoreTransaction,
    programs: Programs,
    edition: Edition,
    keys: readonly SubjectKey[],
    { taken, ...options }: LockOptions & { readonly taken?: ReadonlySet<string> } = {},
  ): Promise<People> {
    const people = new People()
    for (let wanted = distinct(keys); wanted.length > 0; ) {
      const locked = await upToDate(tx, programs, edition, await tx.lockSubjects(wanted, options), taken)
      const others: SubjectKey[] = []
      for (const subject of locked) {
        people.put(subject)
        const { key, state } = subject
        if (state.into !== undefined) others.push({ kind: key.kind, id: state.into })
      }
      wanted = distinct(others).filter((key) => !people.rows.has(subjectName(key)))
    }
    return people
  }

  /** Who a subject is now; undefined where another transaction holds it. */
  get(key: SubjectKey): LockedSubject | undefined {
    const row = this.row(key)
    return row?.state.into === undefined ? row : this.get({ kind: key.kind, id: row.state.into })
  }

  /** The row of exactly this key. */
  row(key: SubjectKey): LockedSubject | undefined {
    return this.rows.get(subjectName(key))
  }

  /** All rows that are held. */
  get held(): readonly LockedSubject[] {
    return [...this.rows.values()]
  }

  /** A subject as it is from now on. */
  put(subject: LockedSubject): void {
    this.rows.set(subjectName(subject.key), subject)
  }
}

/** Each key once: a row that is locked twice would be brought up twice. */
function distinct(keys: readonly SubjectKey[]): readonly SubjectKey[] {
  if (keys.length < 2) return keys
  return [...new Map(keys.map((key) => [subjectName(key), key])).values()]
}

/** Who a subject is now, as it is stored, and all keys under which something of it may be written. */
export async function whoIs(store: StoreReads, key: SubjectKey): Promise<Person> {
  const state = await store.readSubject(key)
  if (state?.into !== undefined) return whoIs(store, { kind: key.kind, id: state.into })
  return { key, state, keys: keysOf({ key, state: state ?? UNBORN }) }
}

export interface Person {
  readonly key: SubjectKey
  /** Undefined for a stranger. */
  readonly state: SubjectState | undefined
  readonly keys: readonly SubjectKey[]
}
