import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => vi.restoreAllMocks())

it('the quickstart pushes to somebody who always buys organic vegetables, until they buy fruit', async () => {
  const printed: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
  vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
    printed.push(values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' '))
  })

  await import('./main.js')

  expect(printed).toEqual([
    [
      '[console] content to user u1 (taste-fruit/push, template taste-fruit)',
      '  草莓红了',
      '  周慧芳，您好！这个月您已经买了三次有机菜。农场的草莓也红了，这一团要不要带一盒尝尝？',
      '',
    ].join('\n'),
    'tags: ["organic-veg-never-fruit"]',
    'tags: []',
  ])
})
