import type { StepDefinition } from '@linli/rules'
import { lengthOf } from '../../../rules/testing/naive-window.js'
import type { LoggedEvent } from '../law/known.js'
import { end } from './exits.js'
import type { Life } from './life.js'
import { endOf, type Wait } from './waits.js'
import { wishOf } from './wishes.js'
import type { Asked, Case, Run, StepOf, Steps, Waiting } from './words.js'

// How runs go from step to step.

/** Goes into some steps, and on below them. */
export function follow(life: Life, run: Run, steps: Steps): void {
  run.path.push({ steps, next: 0 })
  walk(life, run)
}

export function walk(life: Life, run: Run): void {
  run.until = Number.POSITIVE_INFINITY
  run.waiting = { kind: 'time' }
  for (let at = run.path.at(-1); at !== undefined; at = run.path.at(-1)) {
    const step = at.steps[at.next++]
    if (step === undefined) run.path.pop()
    else {
      run.step = step
      const inner = begin(life, run, step)
      if (inner === undefined) return life.derive()
      run.path.push({ steps: inner, next: 0 })
    }
  }
  end(life, run, 'completed')
}

export function timeIsUp(life: Life, run: Run): void {
  if (!life.runs.includes(run)) return
  const { step } = run
  const isLate = run.waiting.kind === 'cases' || run.waiting.kind === 'child'
  follow(life, run, isLate && 'else' in step ? (step.else ?? []) : [])
}

/** Whether it is what the run waits for. */
export function takesCase(life: Life, run: Run, event: LoggedEvent): boolean {
  if (run.waiting.kind !== 'cases') return false
  const found = run.waiting.cases.find((one) => one.event !== undefined && life.matches(one, event))
  if (found === undefined) return false
  run.event = event
  if (found.id !== '') life.step(run, { case: found.id })
  follow(life, run, found.then ?? [])
  return true
}

/** A case of which the conditions hold, or the end of a run that was waited for; gives whether there was one. */
export function waitsCame(life: Life): boolean {
  for (const run of [...life.runs]) {
    const { waiting, step } = run
    if (waiting.kind === 'child' && waiting.child !== undefined) {
      const { child } = waiting
      const isWaitedFor = 'start' in step && step.start.wait !== undefined
      if (life.runs.includes(child) && (isWaitedFor || !child.isIn)) continue
      const [then, otherwise] = 'start' in step ? [step.then, step.else] : []
      follow(life, run, (child.isIn ? then : otherwise) ?? [])
      return true
    }
    if (run.waiting.kind !== 'cases' || run.until <= life.at) continue
    const found = run.waiting.cases.find(
      ({ event, conditions }) => event === undefined && life.holds(conditions, undefined),
    )
    if (found === undefined) continue
    life.step(run, { case: found.id })
    follow(life, run, found.then ?? [])
    return true
  }
  return false
}

/** Begins a step; gives the steps to go into at once, or undefined where the run stays. */
function begin(life: Life, run: Run, step: StepDefinition): Steps | undefined {
  if ('wait' in step) return wait(life, run, step)
  if ('digest' in step) return digest(life, run, step)
  if ('waitFor' in step) {
    life.step(run)
    const { waitFor: asked } = step
    const single = { id: '', ...asked, then: step.then ?? [] }
    const cases = 'any' in asked ? asked.any : [single]
    return stay(life, run, { kind: 'cases', cases: cases as readonly Case[] }, life.at + lengthOf(asked.timeout))
  }
  if ('start' in step) return start(life, run, step)
  if ('split' in step) {
    const variant = life.choices.variantOf(run)
    run.variants.set(step.id, variant)
    life.step(run, { variant })
    return step.split.find(({ id }) => id === variant)?.then ?? []
  }
  life.step(run)
  if ('branch' in step) {
    const found = step.branch.find(({ conditions }) => life.holds(conditions, run.event))
    return found?.then ?? step.else ?? []
  }
  if ('tag' in step) return mark(life, step.tag)
  if ('exit' in step) {
    end(life, run, step.exit.reason ?? 'exit step')
    return undefined
  }
  if ('suggest' in step) {
    life.say('message.suppressed', run, { step: step.id, template: step.suggest.template, reason: 'no leader' })
    return []
  }
  return stay(life, run, { kind: 'wish', wish: wishOf(life, run, step), aside: undefined }, Number.POSITIVE_INFINITY)
}

function wait(life: Life, run: Run, step: StepOf<'wait'>): Steps | undefined {
  const until = endOf(step.wait as Wait, life.at, (name) => life.trait(name))
  life.step(run, until === undefined ? { reason: 'no date to come' } : {})
  if (until === undefined) return step.else ?? []
  return stay(life, run, { kind: 'time' }, until)
}

function digest(life: Life, run: Run, step: StepOf<'digest'>): Steps | undefined {
  const { event: own, conditions, for: time } = step.digest
  const entry = run.definition.entry as Asked
  life.step(run)
  const about = { event: own ?? entry.event ?? [], conditions: own === undefined ? entry.conditions : conditions }
  run.collected = run.event !== undefined && life.matches(about, run.event) ? 1 : 0
  const until = endOf(time as Wait, life.at, (name) => life.trait(name))
  return stay(life, run, { kind: 'digest', ...about }, until ?? 0)
}

function start(life: Life, run: Run, step: StepOf<'start'>): Steps | undefined {
  life.step(run)
  life.starts.push(run)
  const { wait: time } = step.start
  const until = time === undefined ? Number.POSITIVE_INFINITY : life.at + lengthOf(time)
  return stay(life, run, { kind: 'child', child: undefined }, until)
}

function stay(life: Life, run: Run, waiting: Waiting, until: number): Steps | undefined {
  if (until <= life.at) return []
  run.waiting = waiting
  run.until = until
  return undefined
}

function mark(life: Life, change: { readonly add: string } | { readonly remove: string }): Steps {
  const [tag, isOn] = 'add' in change ? [change.add, true] : [change.remove, false]
  if (life.marks.has(tag) === isOn) return []
  if (isOn) life.marks.add(tag)
  else life.marks.delete(tag)
  life.derive()
  return []
}
