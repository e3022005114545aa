// Short forms of rules, so that a test shows what matters in it.

type Rule = Readonly<Record<string, unknown>>

export function tag(id: string, conditions?: unknown, more: Rule = {}): Rule {
  return { kind: 'tag', id, ...(conditions !== undefined && { conditions }), ...more }
}

export function score(id: string, terms: readonly unknown[], more: Rule = {}): Rule {
  return { kind: 'score', id, terms, ...more }
}

/** A journey that is entered by `cart`, unless `more` says otherwise. */
export function journey(id: string, steps: readonly unknown[], more: Rule = {}): Rule {
  return { kind: 'journey', id, entry: { on: 'event', event: 'cart' }, steps, ...more }
}

export function template(id: string, body = 'Hello'): Rule {
  return { kind: 'template', id, body }
}

export function count(event: string, operator: string, value: number, params: Rule = {}): Rule {
  return { fact: 'eventCount', operator, value, params: { event, ...params } }
}

export const atLeast = (n: number, event: string, params: Rule = {}) => count(event, 'greaterThanInclusive', n, params)

export const atMost = (n: number, event: string, params: Rule = {}) => count(event, 'lessThanInclusive', n, params)

export const tagged = (id: string, value = true, of?: string): Rule => ({
  fact: 'tag',
  operator: 'equal',
  value,
  params: { id, ...(of !== undefined && { of }) },
})

export const scored = (id: string, operator: string, value: unknown, params: Rule = {}): Rule => ({
  fact: 'score',
  operator,
  value,
  params: { id, ...params },
})

/** A condition about the event at hand. */
export const eventHas = (property: string, value: unknown): Rule => ({
  fact: 'event',
  operator: 'equal',
  value,
  params: { property },
})

export const traitIs = (name: string, value: unknown): Rule => ({
  fact: 'trait',
  operator: 'equal',
  value,
  params: { name },
})

export const send = (id: string, more: Rule = {}): Rule => ({
  id,
  send: { template: 'hello', channel: 'sms', class: 'promotion', ...more },
})

export const wait = (id: string, duration: string): Rule => ({ id, wait: duration })

export const putTag = (id: string, name: string): Rule => ({ id, tag: { add: name } })
