/**
 * What one person costs: bytes of the row, of the row compressed as PostgreSQL may, and of the heap while it is at hand, by
 * how many features rules read. Everybody has thirty days of orders.
 *
 *     npm run bench:memory
 */
import { deflateSync } from 'node:zlib'
import { decodeSubject } from '../packages/core/src/domain/subject.js'
import { Life, programOf, type Reach } from './lives.js'
import { number } from './measure.js'

const { gc } = globalThis
if (gc === undefined) throw new Error('Run it by "npm run bench:memory": it needs --expose-gc.')

function heapUsed(): number {
  for (let round = 0; round < 3; round++) gc?.()
  return process.memoryUsage().heapUsed
}

function measure(features: number, reach: Reach): string {
  const people = Math.max(20, Math.floor(6000 / features))
  const program = programOf(features, reach)
  const rows = Array.from({ length: people }, (_, id) => {
    const life = new Life(program, features, id)
    for (let order = 0; order < 120; order++) life.order(reach)
    return life.row
  })
  const bytes = rows.reduce((sum, row) => sum + Buffer.byteLength(row), 0) / people
  const small = rows.reduce((sum, row) => sum + deflateSync(row, { level: 1 }).length, 0) / people
  const before = heapUsed()
  const states = rows.map((row) => {
    const state = decodeSubject(row)
    return { state, features: new Map(state.features.entries()), tags: new Map(state.tags.entries()) }
  })
  const heap = (heapUsed() - before) / people
  if (states.length !== people) throw new Error('lost')
  return `row ${number(bytes)} bytes (compressed ${number(small)}), all of it on the heap ${number(heap)} bytes`
}

for (const features of [10, 100, 300]) {
  for (const reach of ['few', 'all'] as const) {
    const what = reach === 'few' ? 'each order reaches one' : 'each order reaches all'
    console.log(`${features} features, ${what}: ${measure(features, reach)}`)
  }
}
