import { describe, expect, it } from 'vitest'
import { DueMarks, type Place } from './due-marks.js'

interface Row {
  readonly line: string
  readonly dueAt: number
  readonly name: string
}

/** Rows that are due, of which no more than `limit` are taken at a time, in the order of their instants and names. */
function world(limit = 10) {
  let elapsed = 0
  let searched = 0
  const rows = new Set<Row>()
  const marks = new DueMarks(true, () => elapsed)
  const isAfter = ({ dueAt, name }: Row, { dueAt: at, names: [first = ''] }: Place) =>
    dueAt > at || (dueAt === at && name > first)
  const take = async (until: number) => {
    const search = async (from: ReadonlyMap<string, Place>) => {
      const start: Place = { dueAt: Number.MIN_SAFE_INTEGER, names: [] }
      const due = [...rows].filter((row) => row.dueAt <= until && isAfter(row, from.get(row.line) ?? start))
      searched = Math.min(...Array.from(from.values(), ({ dueAt }) => dueAt))
      const found = due.sort((a, b) => a.dueAt - b.dueAt || (a.name < b.name ? -1 : 1)).slice(0, limit)
      return { rows: found, emptied: found.length < limit ? [...from.keys()] : [] }
    }
    const found = await marks.take(until, search, ({ line, dueAt, name }) => [line, { dueAt, names: [name] }])
    for (const row of found) rows.delete(row)
    return found.map(({ name }) => name)
  }
  return {
    marks,
    take,
    put: (name: string, dueAt: number, line = 'a') => rows.add({ line, dueAt, name }),
    pass: (ms: number) => {
      elapsed += ms
    },
    /** Where the last search began, in the line in which it began first. */
    beganAt: () => searched,
  }
}

describe('where to look for what is due', () => {
  it('is after what was taken, so that its dead entries are not passed again', async () => {
    const { take, put, beganAt } = world(2)
    for (const name of ['k1', 'k2', 'k3', 'k4', 'k5']) put(name, 10)
    await expect(take(50_000)).resolves.toEqual(['k1', 'k2'])
    await expect(take(50_000)).resolves.toEqual(['k3', 'k4'])
    expect(beganAt()).toBe(10)
    await expect(take(50_000)).resolves.toEqual(['k5'])
    await expect(take(50_000)).resolves.toEqual([])
    expect(beganAt()).toBe(49_800)
  })

  it('leaves nothing out of what has just become due', async () => {
    const { take, put } = world()
    put('k1', 49_900)
    await take(50_000)
    put('k2', 49_801)
    await expect(take(50_000)).resolves.toEqual(['k2'])
  })

  it('goes back for what this process makes due', async () => {
    const { take, put, marks } = world()
    put('k1', 10)
    await take(50_000)
    put('k2', 5)
    await expect(take(50_000)).resolves.toEqual([])
    marks.add(5, 'b')
    await expect(take(50_000)).resolves.toEqual([])
    marks.add(5, 'a')
    await expect(take(50_000)).resolves.toEqual(['k2'])
  })

  it('is after what a look came past, which then need not be passed again', async () => {
    const { marks, take, put, beganAt } = world()
    put('k1', 10)
    await take(50_000)
    put('k2', 70_000)
    const look = (first: number | undefined, now: number) => marks.look(['a'], 'first', async () => ({ first, now }))
    await look(70_000, 60_000)
    await take(50_000)
    expect(beganAt()).toBe(59_800)
    await look(70_000, 80_000)
    await expect(take(80_000)).resolves.toEqual(['k2'])
    expect(beganAt()).toBe(70_000)
    await look(undefined, 90_000)
    await take(90_000)
    expect(beganAt()).toBe(89_800)
  })

  it('renews marks by a look, too', async () => {
    const { marks, take, pass, beganAt } = world()
    marks.add(1, 'a')
    await marks.look(['a'], 'first', async () => ({ first: undefined, now: 50_000 }))
    pass(499)
    await take(50_000)
    expect(beganAt()).toBe(49_800)
  })

  it('stays where it is by a look elsewhere', async () => {
    const { marks, take, put, pass, beganAt } = world()
    put('k1', 10)
    await take(50_000)
    pass(500)
    await marks.look(undefined, 'first', async () => ({ first: undefined, now: 70_000 }))
    await take(60_000)
    expect(beganAt()).toBe(Number.MIN_SAFE_INTEGER)
  })

  it('goes back for what is made due while somebody searches', async () => {
    const { marks, take, put, beganAt } = world()
    put('k1', 10)
    await take(50_000)
    await marks.look(['a'], 'first', async () => {
      marks.add(20, 'a')
      return { first: undefined, now: 50_000 }
    })
    put('k2', 20)
    await expect(take(50_000)).resolves.toEqual(['k2'])
    expect(beganAt()).toBe(20)
    await marks.look(['a'], 'first', async () => {
      marks.reset()
      return { first: undefined, now: 50_000 }
    })
    put('k3', 5)
    await expect(take(50_000)).resolves.toEqual(['k3'])
  })

  it('is the start where what was taken may be due again', async () => {
    const { take, put, marks } = world()
    put('k1', 10)
    await take(50_000)
    put('k1', 10)
    marks.reset()
    await expect(take(50_000)).resolves.toEqual(['k1'])
  })

  it('is the start again and again, so that nothing that others make due is lost', async () => {
    const { take, put, pass } = world()
    put('k1', 10)
    await take(50_000)
    put('k2', 5)
    put('k3', 49_900)
    pass(499)
    await expect(take(50_000)).resolves.toEqual(['k3'])
    pass(1)
    await expect(take(50_000)).resolves.toEqual(['k2'])
  })

  it('is apart for each line', async () => {
    const { take, put, beganAt } = world(1)
    put('k1', 10)
    put('k2', 20, 'b')
    put('k3', 30)
    await expect(take(50_000)).resolves.toEqual(['k1'])
    await expect(take(50_000)).resolves.toEqual(['k2'])
    expect(beganAt()).toBe(10)
    await expect(take(50_000)).resolves.toEqual(['k3'])
  })

  it('is always the start where marks are not used', async () => {
    const marks = new DueMarks(false)
    const began: (number | undefined)[] = []
    const search = async (from: ReadonlyMap<string, Place>) => {
      began.push(from.get('a')?.dueAt)
      return { rows: [1], emptied: ['a'] }
    }
    for (let times = 0; times < 2; times++) await marks.take(50_000, search, () => ['a', { dueAt: 10, names: ['k'] }])
    expect(began).toEqual([undefined, Number.MIN_SAFE_INTEGER])
  })

  it('is known of what this process made due, until it takes some', async () => {
    const { marks, take } = world()
    marks.add(60_000, 'a', 50_000)
    expect(marks.isKnown).toBe(false)
    marks.add(50_000, 'a', 50_000)
    expect(marks.isKnown).toBe(true)
    await take(50_000)
    expect(marks.isKnown).toBe(false)
  })

  it('is not known where everything is looked through anyway', () => {
    const marks = new DueMarks(false)
    marks.add(1, 'a', 2)
    expect(marks.isKnown).toBe(false)
  })
})
