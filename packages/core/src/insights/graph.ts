import {
  type CompiledJourney,
  type CompiledStep,
  type Conditions,
  type ExitDefinition,
  exitsOf,
  formatDuration,
  SEND_OUTCOMES,
  type StepDefinition,
  type StepTarget,
  stepsOf,
} from '@linli/rules'
import { Phrases } from './phrases.js'
import type { JourneyCounts } from './run-counts.js'
import type { Language } from './wording.js'

/** A journey as a Mermaid flowchart (https://mermaid.js.org), with how many runs came by where counts are given. */
export function journeyGraph(
  journey: CompiledJourney,
  { counts, language = 'en' }: { readonly counts?: JourneyCounts; readonly language?: Language } = {},
): string {
  return new Graph(journey, counts, WORDS[language], new Phrases(language, 'UTC', journey.subject)).text()
}

type Edge = readonly [to: StepTarget, label?: string]

class Graph {
  /** The steps in the order they are written in, each with what stands for it. */
  private readonly steps: readonly (readonly [name: string, step: CompiledStep])[]

  constructor(
    private readonly journey: CompiledJourney,
    private readonly counts: JourneyCounts | undefined,
    private readonly words: (typeof WORDS)[Language],
    private readonly phrases: Phrases,
  ) {
    this.steps = [...stepsOf(journey.definition.steps)].flatMap(({ step: { id } }, index) => {
      const step = journey.steps.find((one) => one.id === id)
      return step === undefined ? [] : [[`s${index + 1}`, step] as const]
    })
  }

  private name(target: StepTarget): string {
    const step = this.journey.steps[target]
    return this.steps.find(([, one]) => one === step)?.[0] ?? 'finish'
  }

  text(): string {
    const { counts, words } = this
    const { definition, first } = this.journey
    const finished = counts && (counts.exits.get('completed') ?? 0)
    const lines = [
      node('entry', '([', this.triggerText(definition.entry), '])', counts?.entered),
      ...this.steps.map(([name, step]) => node(name, '[', this.stepText(step), ']', this.cameTo(step))),
      node('finish', '([', words.end, '])', finished),
      edge('entry', this.name(first)),
      ...this.steps.flatMap(([name, step]) => this.edges(step).map(([to, label]) => edge(name, this.name(to), label))),
    ]
    const exits = exitsOf(definition)
    if (exits.length > 0) {
      const triggers = exits.map(({ exit }) => this.triggerText(exit)).join(words.or)
      lines.push(node('exit', '{{', words.exit(triggers), '}}', counts && this.leftEarly()))
    }
    if (definition.goal !== undefined) {
      const { event, within } = definition.goal
      lines.push(node('goal', '{{', words.goal([event].flat().join(words.or), within), '}}', counts?.goals))
    }
    return ['flowchart TD', ...lines.map((line) => `  ${line}`)].join('\n')
  }

  private cameTo({ id }: CompiledStep): number | undefined {
    return this.counts && (this.counts.steps.get(id) ?? 0)
  }

  /** Runs that ended otherwise than at the end or at a step that says so. */
  private leftEarly(): number {
    const said = new Set(this.journey.steps.flatMap((step) => (step.verb === 'exit' ? [step.reason] : [])))
    const ends = [...(this.counts?.exits ?? [])].filter(([reason]) => reason !== 'completed' && !said.has(reason))
    return ends.reduce((sum, [, count]) => sum + count, 0)
  }

  private triggerText(trigger: CompiledJourney['definition']['entry'] | ExitDefinition): string {
    if (trigger.on === 'conditions') return this.phrases.conditions(trigger.conditions)
    const { words, phrases } = this
    const conditions =
      'conditions' in trigger && trigger.conditions ? `${words.colon}${phrases.conditions(trigger.conditions)}` : ''
    if (trigger.on === 'start') return `${words.started}${conditions}`
    if (trigger.on === 'event') return `${[trigger.event].flat().join(words.or)}${conditions}`
    if (trigger.on === 'api') return `${words.api}${conditions}`
    if (trigger.on === 'schedule') return `${words.schedule(trigger.schedule)}${conditions}`
    if (trigger.on === 'score.crossed') {
      const { score, above, below, tier } = trigger
      return `${words.crossed(score, above === undefined ? (below === undefined ? String(tier) : `< ${below}`) : `≥ ${above}`)}${conditions}`
    }
    return `${words.tag(trigger.tag, trigger.on === 'tag.added')}${conditions}`
  }

  private stepText(step: CompiledStep): string {
    return `${step.id}${this.words.colon}${this.does(step)}`
  }

  private does(step: CompiledStep): string {
    const { words } = this
    switch (step.verb) {
      case 'wait':
        return words.wait(waitText(this.written(step.id)))
      case 'waitFor': {
        const [only] = step.cases
        const single = only?.id === undefined && only?.on === 'event' ? [...only.events].join(words.or) : undefined
        return words.waitFor(single ?? words.firstOf)
      }
      case 'branch':
        return words.branch
      case 'split':
        return words.split
      case 'send':
        return words.send(step.template, step.channels.join(words.or), step.class)
      case 'issue':
        return words.issue(step.offer)
      case 'suggest':
        return words.suggest(step.template)
      case 'tag':
        return words.tag(step.tag, step.put)
      case 'set':
        return words.set(step.trait)
      case 'emit':
        return words.emit(step.event)
      case 'start':
        return words.start(step.journey)
      case 'digest':
        return words.digest([...step.match.events].join(words.or), waitText(this.written(step.id)))
      case 'exit':
        return words.exit(step.reason)
    }
  }

  private edges(step: CompiledStep): readonly Edge[] {
    const { words } = this
    switch (step.verb) {
      case 'wait':
        return step.otherwise === step.next ? [[step.next]] : [[step.next], [step.otherwise, words.noDate]]
      case 'waitFor': {
        const came = step.cases.map((one): Edge => [one.then, one.id ?? words.came])
        return [...came, [step.otherwise, words.timeout(formatDuration(step.timeoutMs))]]
      }
      case 'branch': {
        const written = this.written(step.id)
        const cases = 'branch' in written ? written.branch : []
        const taken = step.cases.map(({ then }, index): Edge => [then, this.conditionText(cases[index]?.conditions)])
        return [...taken, [step.otherwise, words.otherwise]]
      }
      case 'split':
        return step.variants.map(({ id, below, then }, index): Edge => {
          const share = below - (step.variants[index - 1]?.below ?? 0)
          return [then, `${id} ${Math.round(share * 1000) / 10}%`]
        })
      case 'issue':
        return step.otherwise === step.next ? [[step.next]] : [[step.next], [step.otherwise, words.none]]
      case 'send':
        return step.branches
          ? SEND_OUTCOMES.map((outcome): Edge => [step.on[outcome], words.outcomes[outcome]])
          : [[step.on.accepted]]
      case 'start':
        return step.then === step.otherwise ? [[step.then]] : [[step.then], [step.otherwise, words.otherwise]]
      case 'exit':
        return []
      default:
        return [[step.next]]
    }
  }

  private conditionText(conditions: Conditions | undefined): string {
    const text = conditions === undefined ? '' : this.phrases.conditions(conditions)
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  }

  private written(id: string): StepDefinition {
    const found = [...stepsOf(this.journey.definition.steps)].find(({ step }) => step.id === id)
    if (found === undefined) throw new Error(`no step ${id}`)
    return found.step
  }
}

/** How much of a condition stands on an arrow. */
const LONGEST = 80

function waitText(step: StepDefinition): string {
  const wait = 'wait' in step ? step.wait : 'digest' in step ? step.digest.for : ''
  if (typeof wait === 'string') return wait
  return Object.values(wait).flat().join(' ')
}

function node(id: string, open: string, text: string, close: string, count: number | undefined): string {
  return `${id}${open}"${quoted(text)}${count === undefined ? '' : `<br/>${count}`}"${close}`
}

function edge(from: string, to: string, label?: string): string {
  return `${from} -->${label === undefined || label === '' ? '' : `|"${quoted(label)}"|`} ${to}`
}

/** Mermaid takes entities by name or number, without the "&". */
function quoted(text: string): string {
  return text.replace(/[#"<>&]/g, (one) => `#${one.codePointAt(0)};`)
}

const WORDS = {
  en: {
    colon: ': ',
    or: ' or ',
    end: 'end',
    branch: 'which holds?',
    split: 'split',
    firstOf: 'the first of several',
    came: 'came',
    otherwise: 'else',
    none: 'none left',
    outcomes: { accepted: 'accepted', refused: 'refused', suppressed: 'suppressed' },
    noDate: 'no date to come',
    wait: (length: string) => `wait ${length}`,
    waitFor: (what: string) => `wait for ${what}`,
    timeout: (length: string) => `not within ${length}`,
    send: (template: string, channels: string, messageClass: string) =>
      `send ${template} by ${channels} (${messageClass})`,
    issue: (offer: string) => `issue ${offer}`,
    suggest: (template: string) => `suggest ${template} to the leader`,
    tag: (tag: string, added: boolean) => `${added ? '+' : '-'} tag ${tag}`,
    set: (trait: string) => `set ${trait}`,
    emit: (event: string) => `emit ${event}`,
    started: 'started by another journey',
    start: (journey: string) => `start ${journey}`,
    digest: (events: string, length: string) => `collect ${events} for ${length}`,
    exit: (reason: string) => `leave: ${reason}`,
    goal: (event: string, within: string) => `goal: ${event} within ${within}`,
    crossed: (score: string, line: string) => `score ${score} ${line}`,
    api: 'when a program asks for it',
    schedule: (text: string) => `by itself: ${text}`,
  },
  zh: {
    colon: '：',
    or: '或',
    end: '结束',
    branch: '哪个成立？',
    split: '分流',
    firstOf: '几样中先来的',
    came: '来了',
    otherwise: '都不成立',
    none: '没有了',
    outcomes: { accepted: '已发出', refused: '被拒收', suppressed: '未发送' },
    noDate: '没有日期',
    wait: (length: string) => `等 ${length}`,
    waitFor: (what: string) => `等${what}`,
    timeout: (length: string) => `${length} 内没来`,
    send: (template: string, channels: string, messageClass: string) =>
      `发 ${template}，走${channels}（${messageClass}）`,
    issue: (offer: string) => `发券 ${offer}`,
    suggest: (template: string) => `建议团长 ${template}`,
    tag: (tag: string, added: boolean) => `${added ? '打上' : '摘下'}标签 ${tag}`,
    set: (trait: string) => `改写 ${trait}`,
    emit: (event: string) => `发出事件 ${event}`,
    started: '由别的旅程启动',
    start: (journey: string) => `启动 ${journey}`,
    digest: (events: string, length: string) => `攒 ${events}，${length}`,
    exit: (reason: string) => `离开：${reason}`,
    goal: (event: string, within: string) => `目标：${within} 内 ${event}`,
    crossed: (score: string, line: string) => `评分 ${score} ${line}`,
    api: '由程序请求',
    schedule: (text: string) => `定时：${text}`,
  },
} as const
