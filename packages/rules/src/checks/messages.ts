import { formatDuration, parseDuration } from '../duration.js'
import type { Located } from '../pack.js'
import type { Place, Problems } from '../problems.js'
import type { Program } from '../program/program.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import type { Template } from '../templates.js'
import { CERTAIN_FLOW, type Certain, certainAtEntry, entryEventOf, type Presence } from './certain.js'
import { below } from './expand.js'
import { passagesOf } from './passages.js'

/** Finds messages and suggestions that lack what their template needs, or tell of a coupon that is over. */
export function checkMessages(
  { definition, place }: Located<JourneyDefinition>,
  started: ReadonlySet<string>,
  program: Program,
  problems: Problems,
): void {
  const entry = entryEventOf(definition, started)
  for (const { step, pointer, known } of passagesOf(
    definition.steps,
    certainAtEntry(definition, entry),
    CERTAIN_FLOW,
  )) {
    const verb = 'send' in step ? 'send' : 'suggest'
    const id = 'send' in step ? step.send.template : 'suggest' in step ? step.suggest.template : undefined
    const template = id === undefined ? undefined : program.templates.get(id)
    if (template === undefined || known === undefined) continue
    const at = below(place, `${pointer}/${verb}`)
    checkVariables(template, { ...known, entry }, definition, at, problems)
    const openForMs = 'suggest' in step ? (parseDuration(step.suggest.expires ?? '7d') ?? 0) : 0
    checkCoupon(template, known, openForMs, program, at, problems)
  }
}

/** What a template may need, which a run can lack. */
const VARIABLES = ['entry', 'event', 'digest', 'coupon'] as const
type Variable = (typeof VARIABLES)[number]

function checkVariables(
  { id, needs }: Template,
  known: Readonly<Record<Variable, Presence>>,
  journey: JourneyDefinition,
  at: Place,
  problems: Problems,
): void {
  for (const variable of VARIABLES) {
    if (!needs.has(variable) || known[variable] === 'always') continue
    const template = below(at, 'template')
    const needed = `The template "${id}" needs "${variable}"`
    const otherwise = `${ADVICE[variable](journey)}, or give the variable a default: {{ ${variable}.… | default: "…" }}.`
    if (known[variable] === 'never') {
      const message = `${needed}, and a run has none here: this is never sent. ${otherwise}`
      problems.error(template, 'template.noValue', message, { found: id })
    } else {
      const message = `${needed}, and a run may come here without one: then this is not sent. ${otherwise}`
      problems.warning(template, 'template.noValue', message, { found: id })
    }
  }
}

const ADVICE: Readonly<Record<Variable, (journey: JourneyDefinition) => string>> = {
  entry: ({ entry }) => `This journey is entered by "${entry.on}": enter it by an event`,
  event: ({ entry }) =>
    `This journey is entered by "${entry.on}", not by an event: send it where one has come, in the "then" of a "waitFor"`,
  digest: () => 'Put a "digest" before it, on every way',
  coupon: () => 'Put an "issue" before it, and where there is no coupon, end the run in its "else" or go another way',
}

/** A coupon that is over before its holder reads of it. */
function checkCoupon(
  { id, reads }: Template,
  { latest, coupon }: Certain,
  openForMs: number,
  { offers }: Program,
  at: Place,
  problems: Problems,
): void {
  if (latest === undefined || coupon === 'never' || !reads.has('coupon')) return
  const { expires } = offers.get(latest.offer) ?? {}
  const expiresMs = parseDuration(expires)
  if (expiresMs === undefined || latest.heldMs + openForMs < expiresMs) return
  const about = `The template "${id}" tells of a coupon of "${latest.offer}", which is good for ${expires}`
  const [held, left] = [formatDuration(latest.heldMs), formatDuration(expiresMs - latest.heldMs)]
  if (latest.heldMs >= expiresMs) {
    const message = `${about}, and it was issued at least ${held} ago: it is over. Wait less, issue it later, or let it be good for longer.`
    problems.warning(at, 'coupon.expired', message, { found: expires })
  } else if (latest.heldMs + openForMs > expiresMs) {
    const since = latest.heldMs === 0 ? '' : `, of which at least ${held} are over by then`
    const message = `${about}${since}, and the suggestion stays open for ${formatDuration(openForMs)}: in the end the coupon is over. Give it "expires" of ${left} at most.`
    problems.warning(at, 'coupon.expired', message, { found: expires })
  }
}
