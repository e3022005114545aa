import { type Dependencies, noDependencies } from '../facts/dependencies.js'
import type { Place, Problems } from '../problems.js'
import { memberOf } from './event-index.js'
import type { CompiledTag, Derived, Readers } from './program.js'
import type { CompiledScore } from './score.js'

/** A tag or a score before it has its place in the order. */
export interface DerivedDraft {
  readonly derived: Omit<CompiledTag, 'rank'> | Omit<CompiledScore, 'rank'>
  readonly depends: Dependencies
  /** Where its rule stands; undefined for conditions that related subjects read. */
  readonly place?: Place
}

/** Tags and scores after those they read; circles are reported. */
export function inOrder(drafts: readonly DerivedDraft[], problems: Problems): readonly DerivedDraft[] {
  const tags = new Map(drafts.filter(({ derived }) => !isScore(derived)).map((draft) => [draft.derived.id, draft]))
  const scores = new Map(drafts.filter(({ derived }) => isScore(derived)).map((draft) => [draft.derived.id, draft]))
  const sorted = new Set<DerivedDraft>()
  const visit = (draft: DerivedDraft, trail: readonly DerivedDraft[]) => {
    if (sorted.has(draft)) return
    if (trail.includes(draft)) return reportCircle([...trail.slice(trail.indexOf(draft)), draft], problems)
    const read = [
      ...[...draft.depends.tags].map((id) => tags.get(id)),
      ...[...draft.depends.scores].map((id) => scores.get(id)),
    ]
    for (const one of read) if (one !== undefined) visit(one, [...trail, draft])
    sorted.add(draft)
  }
  for (const draft of drafts) visit(draft, [])
  return [...sorted]
}

function isScore({ kind }: DerivedDraft['derived']): boolean {
  return kind === 'score'
}

const WAY_OUT = 'None of them can be decided first: let one of them not ask for the next.'

function reportCircle(circle: readonly DerivedDraft[], problems: Problems): void {
  const [first] = circle
  if (first?.place === undefined) return
  const kinds = new Set(circle.map(({ derived }) => isScore(derived)))
  const at = { ...first.place, pointer: `${first.place.pointer}/${isScore(first.derived) ? 'terms' : 'conditions'}` }
  if (!kinds.has(true)) {
    const names = circle.map(({ derived }) => derived.id).join(' -> ')
    return problems.error(at, 'tag.cycle', `These tags depend on each other in a circle: ${names}. ${WAY_OUT}`)
  }
  const names = circle.map(({ derived }) => `${isScore(derived) ? 'score' : 'tag'} ${derived.id}`).join(' -> ')
  const things = kinds.has(false) ? 'tags and scores' : 'scores'
  problems.error(at, 'rule.cycle', `These ${things} depend on each other in a circle: ${names}. ${WAY_OUT}`)
}

/** Who reads what: `derived` stands for `drafts`, one for one. */
export function readersOf(drafts: readonly DerivedDraft[], derived: readonly Derived[]): Readers {
  const kinds = Object.keys(noDependencies()) as (keyof Dependencies)[]
  const readers = Object.fromEntries(kinds.map((kind) => [kind, new Map<unknown, Derived[]>()]))
  drafts.forEach(({ depends }, index) => {
    const reader = derived[index]
    if (reader === undefined) return
    for (const kind of kinds) {
      const byName = readers[kind]
      if (byName !== undefined) for (const name of depends[kind]) memberOf(byName, name, () => []).push(reader)
    }
  })
  return readers as unknown as Readers
}
