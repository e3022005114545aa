import type { SubjectView } from '../subject.js'
import type { Dependencies } from './dependencies.js'

/** What a subject is compared with all others of its kind by. */
export interface Figure {
  /** The same for equal definitions, whatever rule they stand in. */
  readonly key: string
  /** What it comes to for a subject; undefined where the subject has none and takes no part. */
  measure(view: SubjectView): readonly number[] | undefined
  /** When that next changes by itself; infinity when it does not. */
  changesAt(view: SubjectView): number
  /** What changes it besides time. */
  readonly depends: Dependencies
}

/** Figures of one subject kind, each found once however many rules compare by it. */
export class FigureRegistry {
  private readonly byKey = new Map<string, Figure>()

  get figures(): ReadonlyMap<string, Figure> {
    return this.byKey
  }

  add(figure: Figure): void {
    if (!this.byKey.has(figure.key)) this.byKey.set(figure.key, figure)
  }
}
