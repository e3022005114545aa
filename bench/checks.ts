/**
 * How long it takes to find out what cannot be meant: 10,000 tags of four or five comparisons, one in five of which asks
 * for another tag, checked by `reviewPack`. It compiles the pack anew, so that time is taken off; told as a ratio to the
 * time in which the same tags are read, validated and compiled. The two take turns.
 */
import { compileProgram, definePack, type Pack, reviewPack } from '@linli/rules'
import { number, seconds, spread } from './measure.js'

const TAGS = 10_000
const ROUNDS = 5
const CATEGORIES = ['fruit', 'vegetable', 'dairy', 'rice', 'meat', 'fish', 'bread', 'tea']

function count(operator: string, value: number, params: object) {
  return { fact: 'eventCount', operator, value, params: { event: 'order_paid', ...params } }
}

function makeTag(index: number) {
  const item = { fact: 'category', operator: 'equal', value: CATEGORIES[index % CATEGORIES.length] }
  const spent = { event: 'order_paid', property: 'total', within: '90d' }
  const cities = { fact: 'trait', operator: 'in', value: ['sh', 'bj', `c${index}`], params: { name: 'city' } }
  const since = { event: 'order_paid' }
  return {
    kind: 'tag',
    id: `t${index}`,
    conditions: {
      all: [
        count('greaterThanInclusive', 1 + (index % 40), { within: `${7 + (index % 60)}d`, item }),
        { any: [{ fact: 'eventSum', operator: 'greaterThan', value: index, params: spent }, cities] },
        { fact: 'sinceLastEvent', operator: 'lessThan', value: `${70 + (index % 30)}d`, params: since },
        ...(index % 5 === 4 ? [{ fact: 'tag', operator: 'equal', value: true, params: { id: `t${index - 1}` } }] : []),
        // One of them contradicts itself: it must be found.
        ...(index === 77 ? [count('equal', 0, { within: '400d' })] : []),
      ],
    },
  }
}

const definitions = Array.from({ length: TAGS }, (_, index) => makeTag(index))
const ratios: number[] = []
const times: number[] = []
for (let round = -1; round < ROUNDS; round++) {
  let pack: Pack | undefined
  const reading = await seconds(async () => {
    pack = definePack(definitions)
  })
  const known = pack ?? definePack(definitions)
  const compiling = await seconds(async () => compileProgram(known))
  const reviewing = await seconds(async () => {
    const found = reviewPack(known).map(({ code, pointer }) => `${code} ${pointer}`)
    if (found.join() !== 'condition.never /77/conditions') throw new Error(`Found something else: ${found.join(', ')}`)
  })
  if (round < 0) continue
  times.push(reviewing - compiling)
  ratios.push((reviewing - compiling) / reading)
}

console.log(`Checking ${number(TAGS)} tags: median (least-most) of ${ROUNDS} rounds. Node ${process.version}.`)
console.log(`${spread(times)} s | ${spread(ratios)} times the time of reading, validating and compiling them`)
