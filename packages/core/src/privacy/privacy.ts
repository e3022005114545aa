import type { Clock } from '../ports/clock.js'
import type { Store } from '../ports/store.js'
import type { Programs } from '../subjects/programs.js'
import { type Erasure, erasePerson, readmitPerson } from './erase.js'
import { exportPerson } from './export.js'
import { freshKey } from './tombstones.js'

/** What people may ask for: to be erased, to be let in again, to be told all that is kept of them. */
export class Privacy {
  constructor(
    private readonly store: Store,
    private readonly programs: Programs,
    private readonly clock: Clock,
  ) {}

  erase(userId: string): Promise<Erasure> {
    const { store, programs, clock } = this
    const fresh = freshKey()
    return store.transaction((tx) => erasePerson(tx, programs, userId, { clockNow: clock.now(), fresh }))
  }

  readmit(userId: string): Promise<boolean> {
    return this.store.transaction((tx) => readmitPerson(tx, userId, this.clock.now()))
  }

  export(userId: string): AsyncGenerator<string, void> {
    return exportPerson(this.store, this.programs, userId, this.clock.now())
  }
}
