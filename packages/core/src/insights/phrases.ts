import { type ConditionLeaf, type Conditions, formatDuration, isObject, parseDuration } from '@linli/rules'
import { FACT_PHRASES, type FactParts, type Language, MORE_PHRASES, WINDOW_PHRASES, WORDS } from './wording.js'

/** A fact as conditions and explanations name it. */
export interface NamedFact {
  readonly fact: string
  readonly params?: Readonly<Record<string, unknown>> | undefined
  readonly path?: string | undefined
}

/** Writes facts, comparisons and values in one language, times in one zone. */
export class Phrases {
  readonly words: (typeof WORDS)[Language]

  constructor(
    readonly language: Language,
    private readonly timeZone: string,
    /** Whom it is about: `user:u-1`. */
    readonly subject: string,
  ) {
    this.words = WORDS[language]
  }

  /** `2026-03-08 12:00:00`, in the zone; milliseconds where there are some. */
  time(at: string | number): string {
    const instant = new Date(at)
    const local = new Intl.DateTimeFormat('sv-SE', {
      timeZone: this.timeZone,
      dateStyle: 'short',
      timeStyle: 'medium',
    }).format(instant)
    const ms = instant.getTime() % 1000
    return ms === 0 ? local : `${local}.${String((ms + 1000) % 1000).padStart(3, '0')}`
  }

  duration(ms: number): string {
    const text = formatDuration(ms)
    return this.language === 'en' ? text : text.replace(/ms|[dhms]/g, (unit) => UNITS_ZH[unit] ?? unit)
  }

  fact({ fact, params = {}, path }: NamedFact): string {
    const phrase = FACT_PHRASES[fact]?.[this.language]
    const named = phrase === undefined ? `${fact}(${JSON.stringify(params)})` : phrase(this.parts(fact, params, true))
    const of = this.words.of[params['of'] as 'community'] ?? ''
    return `${named}${path === undefined ? '' : ` ${path}`}${of}`.replaceAll('） ', '）')
  }

  /** How much more it takes; undefined for facts that are no numbers that grow. */
  more({ fact, params = {} }: NamedFact, more: number): string | undefined {
    return MORE_PHRASES[fact]?.[this.language](this.number(more), this.parts(fact, params, false))
  }

  /** One event of those that a fact looks at. */
  oneEvent({ fact, params = {} }: NamedFact): string {
    return this.words.oneEvent(this.parts(fact, params, false).events)
  }

  /** `≥ 3` */
  comparison(fact: string, operator: string, expected: unknown): string {
    return `${SIGNS[operator] ?? operator} ${this.value(expected, fact)}`
  }

  value(value: unknown, fact: string): string {
    if (value === undefined) return this.words.none
    if (fact.startsWith('since')) {
      return this.duration(typeof value === 'number' ? value : (parseDuration(value) ?? 0))
    }
    if (typeof value === 'number') return this.number(value)
    if (typeof value === 'boolean' && this.language === 'zh') return value ? '是' : '否'
    return JSON.stringify(value)
  }

  private number(value: number): string {
    return String(Math.round(value * 1e6) / 1e6)
  }

  private parts(fact: string, params: Readonly<Record<string, unknown>>, windowed: boolean): FactParts {
    const text = (name: string) => (params[name] === undefined ? '' : String(params[name]))
    const window = windowed ? this.window(params) : ''
    const filters = fact === 'messageCount' ? this.messageFilters(params) : this.filters(params)
    const { by } = params
    const figure = isObject(by) && typeof by['fact'] === 'string' ? this.fact(by as unknown as NamedFact) : undefined
    const what =
      figure ?? `${fact === 'sequence' ? this.steps(params['steps']) : this.events(params['event'])}${filters}`
    return {
      events: this.language === 'en' ? `${what}${window}` : `${window}${what}`,
      filters,
      window,
      property: text('property'),
      name: text('name') || text('id') || text('journey') || (fact === 'consent' ? text('class') : ''),
      detail: this.detail(fact, params),
    }
  }

  private detail(fact: string, params: Readonly<Record<string, unknown>>): string {
    const { step, as, channel } = params
    const said = fact === 'score' && as !== 'tier' ? undefined : (step ?? as ?? channel)
    return said === undefined ? '' : String(said)
  }

  private events(names: unknown): string {
    return [names].flat().map(String).join(this.words.or)
  }

  private window({ within, between, since, during }: Readonly<Record<string, unknown>>): string {
    const phrases = WINDOW_PHRASES[this.language]
    const length = (text: unknown) => this.duration(parseDuration(text) ?? 0)
    if (within !== undefined) return phrases.within(length(within))
    if (Array.isArray(between)) return phrases.between(length(between[0]), length(between[1]))
    if (since !== undefined) return phrases.since(String(since))
    return during === undefined ? '' : phrases.during[during as 'today']
  }

  private filters({ where, item }: Readonly<Record<string, unknown>>): string {
    const { words } = this
    const said = [
      ...(where === undefined ? [] : [`${words.where}${this.filter(where)}`]),
      ...(item === undefined ? [] : [`${words.item}${this.filter(item)}`]),
    ]
    return this.language === 'en' || said.length === 0 ? said.join('') : `（${said.join('').replace(/^，/, '')}）`
  }

  private messageFilters(params: Readonly<Record<string, unknown>>): string {
    const said = ['journey', 'step', 'template', 'channel', 'class'].filter((name) => params[name] !== undefined)
    const all = said.map((fact) => ({ fact, operator: 'equal', value: params[fact] }))
    return all.length === 0 ? '' : this.filters({ where: { all } })
  }

  private steps(steps: unknown): string {
    if (!Array.isArray(steps)) return ''
    const said = steps.filter(isObject).map((step) => {
      const { no } = step
      if (isObject(no)) {
        const length = this.duration(parseDuration(step['for']) ?? 0)
        return this.words.absence(`${this.events(no['event'])}${this.filters(no)}`, length)
      }
      return `${this.events(step['event'])}${this.filters(step)}`
    })
    return said.join(this.words.followed)
  }

  /** Conditions of a rule in one line. */
  conditions(tree: Conditions): string {
    return this.tree(tree, ({ fact, params, path, operator, value }) => {
      return `${this.fact({ fact, params, path })} ${this.comparison(fact, operator, value)}`
    })
  }

  /** Conditions over an event or an item: their facts are its properties. */
  private filter(tree: unknown): string {
    return isObject(tree)
      ? this.tree(
          tree as unknown as Conditions,
          ({ fact, operator, value }) => `${fact} ${this.comparison('', operator, value)}`,
        )
      : ''
  }

  private tree(tree: Conditions, leaf: (one: ConditionLeaf) => string): string {
    const { words } = this
    const part = (one: Conditions) => this.tree(one, leaf)
    if ('all' in tree) return tree.all.map(part).join(words.and)
    if ('any' in tree) return `(${tree.any.map(part).join(words.or)})`
    if ('not' in tree) return `${words.not} (${part(tree.not)})`
    return 'condition' in tree ? tree.condition : leaf(tree)
  }
}

const UNITS_ZH: Readonly<Record<string, string>> = { d: '天', h: '小时', m: '分钟', s: '秒', ms: '毫秒' }

const SIGNS: Readonly<Record<string, string>> = {
  equal: '=',
  notEqual: '≠',
  lessThan: '<',
  lessThanInclusive: '≤',
  greaterThan: '>',
  greaterThanInclusive: '≥',
}
