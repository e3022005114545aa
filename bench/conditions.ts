/**
 * How fast conditions are: compiled by @linli/rules, run by json-rules-engine, and written by hand. Rules of three
 * conditions (a number, a list that contains, one of several cities), each with constants of its own, over users with
 * twelve properties. The three ways take turns, so that a busy machine slows all of them alike; medians are compared.
 */
import { definePredicate, type Predicate } from '@linli/rules'
import { Engine } from 'json-rules-engine'
import { median, number, spread } from './measure.js'
import { mulberry32 } from './shop.js'

const ROUNDS = 11
const TAGS = Array.from({ length: 20 }, (_, index) => `tag-${index}`)
const CITIES = Array.from({ length: 20 }, (_, index) => `city-${index}`)

interface User {
  readonly [key: string]: unknown
  readonly amount: number
  readonly tags: readonly string[]
  readonly city: string
}

interface Rule {
  readonly amount: number
  readonly tag: string
  readonly cities: readonly string[]
}

/** Gives the number of verdicts that were true. */
type Way = (users: readonly User[]) => number | Promise<number>

const random = mulberry32(7)
const some = (from: readonly string[], count: number) => Array.from({ length: count }, () => one(from))
const one = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? ''

function makeUser(id: number): User {
  const filler = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`property${index}`, `value ${index}`]))
  return { id, amount: Math.floor(random() * 100), tags: some(TAGS, 3), city: one(CITIES), ...filler }
}

const makeRule = (): Rule => ({ amount: Math.floor(random() * 100), tag: one(TAGS), cities: some(CITIES, 5) })

function conditionsOf({ amount, tag, cities }: Rule) {
  return {
    all: [
      { fact: 'amount', operator: 'greaterThanInclusive', value: amount },
      { fact: 'tags', operator: 'contains', value: tag },
      { fact: 'city', operator: 'in', value: [...cities] },
    ],
  }
}

/** As an application would write them. */
function byHand({ amount, tag, cities }: Rule): Predicate {
  const inCity = new Set(cities)
  return (user) => {
    const { amount: spent, tags, city } = user as User
    return spent >= amount && tags.includes(tag) && inCity.has(city)
  }
}

function countTrue(predicates: readonly Predicate[]): Way {
  return (users) => {
    let count = 0
    for (const user of users) for (const predicate of predicates) if (predicate(user)) count += 1
    return count
  }
}

function jsonRulesEngine(rules: readonly Rule[]): Way {
  const engine = new Engine(rules.map((rule) => ({ conditions: conditionsOf(rule), event: { type: 'yes' } })))
  return async (users) => {
    let count = 0
    for (const user of users) count += (await engine.run(user)).events.length
    return count
  }
}

async function nanosecondsPerRule(way: Way, users: readonly User[], rules: number): Promise<number> {
  const started = performance.now()
  await way(users)
  return ((performance.now() - started) * 1e6) / (users.length * rules)
}

async function compare(size: number): Promise<void> {
  const rules = Array.from({ length: size }, makeRule)
  const ways = {
    linli: countTrue(rules.map((rule) => definePredicate(conditionsOf(rule)))),
    byHand: countTrue(rules.map(byHand)),
    jre: jsonRulesEngine(rules),
  }
  // About as long for each: the slow way sees fewer of the users.
  const users = Array.from({ length: Math.ceil(400_000 / size) }, (_, id) => makeUser(id))
  const few = users.slice(0, Math.max(2, Math.ceil(users.length / 100)))
  const counts = await Promise.all(Object.values(ways).map((way) => way(few)))
  if (new Set(counts).size !== 1) throw new Error(`The three ways disagree: ${counts.join(', ')} verdicts were true.`)

  const taken = { linli: [] as number[], byHand: [] as number[], jre: [] as number[] }
  for (let round = -2; round < ROUNDS; round++) {
    const linli = await nanosecondsPerRule(ways.linli, users, size)
    const hand = await nanosecondsPerRule(ways.byHand, users, size)
    const jre = await nanosecondsPerRule(ways.jre, few, size)
    if (round < 0) continue
    taken.linli.push(linli)
    taken.byHand.push(hand)
    taken.jre.push(jre)
  }
  print(size, taken)
}

function print(size: number, { linli, byHand, jre }: Record<'linli' | 'byHand' | 'jre', number[]>): void {
  const faster = median(jre) / median(linli)
  const slower = median(linli) / median(byHand)
  console.log(
    [
      `${number(size).padStart(5)} ${size === 1 ? 'rule ' : 'rules'}`,
      `linli ${spread(linli, 1)} ns`,
      `by hand ${spread(byHand, 1)} ns`,
      `json-rules-engine ${spread(jre)} ns`,
      `${number(faster)} times json-rules-engine`,
      `${number(slower, 2)} times the time by hand`,
    ].join(' | '),
  )
}

console.log(`Time per rule and user: median (least-most) of ${ROUNDS} rounds. Node ${process.version}.`)
for (const size of [1, 100, 1000]) await compare(size)
