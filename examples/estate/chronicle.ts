import type { Decision, DecisionKind } from '@linli/core'
import type { Neighbour } from './neighbours.js'
import type { Story } from './story.js'

/** A story's decisions, ready to be asked about. */
export class Chronicle {
  private readonly neighbours: ReadonlyMap<string, Neighbour>

  constructor(readonly story: Story) {
    this.neighbours = new Map(story.neighbours.map((neighbour) => [`user:${neighbour.id}`, neighbour]))
  }

  /** Decisions of a kind and, where it is said, of a rule: a tag, an offer, or a journey and all that it sent. */
  all(kind: DecisionKind, rule?: string): readonly Decision[] {
    return this.story.decisions.filter(
      (one) => one.decision === kind && (rule === undefined || one.rule === rule || one['journey'] === rule),
    )
  }

  /** The last such decision about one neighbour. */
  last({ id }: Neighbour, kind: DecisionKind, rule: string): Decision | undefined {
    return this.all(kind, rule).findLast(({ subject }) => subject === `user:${id}`)
  }

  /** The neighbours whom such decisions are about, in the order of their homes. */
  whom(kind: DecisionKind, rule: string): readonly Neighbour[] {
    const subjects = new Set(this.all(kind, rule).map(({ subject }) => subject))
    return this.story.neighbours.filter(({ id }) => subjects.has(`user:${id}`))
  }

  neighbour(subject: string): Neighbour | undefined {
    return this.neighbours.get(subject)
  }

  /** Whether a neighbour had a tag at an instant. */
  hadTag({ id }: Neighbour, tag: string, at: number): boolean {
    const changes = this.story.decisions.filter(
      (one) => one.rule === tag && one.subject === `user:${id}` && one.at <= at,
    )
    return changes.at(-1)?.decision === 'tag.added'
  }
}
