import { type EventRecord, type Program, SUBJECT_KINDS } from '@linli/rules'
import { type Baseline, othersIn } from '../domain/baseline.js'
import { type SubjectKey, subjectName } from '../domain/subject.js'
import type { Store } from '../ports/store.js'
import { membershipsAt } from './memberships.js'
import { type Past, readPast } from './past.js'
import { type Known, Picture } from './picture.js'
import { replay } from './replay.js'

/** A subject and those whom its rules read, as far as they are on record. */
export class Neighbourhood {
  private readonly pasts = new Map<string, Past>()
  private readonly wanted = new Map<string, SubjectKey>()
  private baselines: readonly Baseline[] = []

  constructor(
    private readonly store: Store,
    readonly program: Program,
  ) {}

  /**
   * Runs pure work over what is on record of a subject. Others' records can be long, so they are read once the work has
   * asked for them; it then begins anew.
   */
  async look<T>(key: SubjectKey, work: (past: Past) => T): Promise<T> {
    const past = await this.read(key)
    const compared = SUBJECT_KINDS.filter((kind) => this.program.subjects[kind].figures.size > 0)
    if (compared.length > 0) this.baselines = await this.store.readBaselines(compared)
    for (;;) {
      const result = work(past)
      if (this.wanted.size === 0) return result
      const keys = [...this.wanted.values()]
      this.wanted.clear()
      await Promise.all(keys.map((other) => this.read(other)))
    }
  }

  /** What is on record of a subject; nothing, as long as it has not been read. */
  pastOf(key: SubjectKey): Past {
    const known = this.pasts.get(subjectName(key))
    if (known === undefined) this.wanted.set(subjectName(key), key)
    return known ?? { key, events: [], decisions: [], state: undefined }
  }

  /** All others of a subject's kind, as they were worked out last. */
  othersOf(key: SubjectKey, figure: string) {
    return othersIn(this.baselines, key, figure)
  }

  private async read(key: SubjectKey): Promise<Past> {
    const past = await readPast(this.store, key)
    for (const one of [key, past.key]) this.pasts.set(subjectName(one), past)
    return past
  }

  /** What was known by an instant. */
  until(cut: number): Scene {
    return new Scene(this, cut)
  }
}

/** A neighbourhood as it was known by an instant, looked at from then on: nothing new happens in it. */
export class Scene {
  private readonly known = new Map<string, Known | undefined>()

  constructor(
    private readonly neighbourhood: Neighbourhood,
    readonly cut: number,
  ) {}

  /** A subject at an instant, not before the scene's; undefined where nothing had happened by then. */
  pictureOf(key: SubjectKey, at = this.cut, event?: EventRecord): Picture | undefined {
    const pictures = new Map<string, Picture | undefined>()
    const others = (of: SubjectKey, figure: string) => this.neighbourhood.othersOf(of, figure)
    const pictureOf = (one: SubjectKey, atHand?: EventRecord): Picture | undefined => {
      const name = subjectName(one)
      if (pictures.has(name)) return pictures.get(name)
      const known = this.knownOf(one)
      const picture = known && new Picture(known, at, this.neighbourhood.program, { pictureOf, others }, atHand)
      pictures.set(name, picture)
      return picture
    }
    return pictureOf(key, event)
  }

  private knownOf(key: SubjectKey): Known | undefined {
    const name = subjectName(key)
    if (this.known.has(name)) return this.known.get(name)
    const { program } = this.neighbourhood
    const past = this.neighbourhood.pastOf(key)
    const replayed = replay(past, program, this.cut)
    const known = replayed && {
      key,
      replay: replayed,
      memberships: membershipsAt(past, program, this.cut, replayed.profile.traits),
    }
    this.known.set(name, known)
    return known
  }
}
