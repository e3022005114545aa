import { startProvider } from '../../src/testing/faults/provider.js'
import { type TownTime, townClock } from './town.js'

// The provider of a shop, in a process of its own: what happens to the shop's does not happen to it.

export interface ProviderOrders {
  readonly log: string
  readonly seed: number
  readonly faults: number
  readonly windowMs: number
  readonly repeats: readonly string[]
  readonly time: TownTime
}

const { time, ...options } = JSON.parse(process.env['LINLI_PROVIDER'] ?? '') as ProviderOrders
let { faults } = options
process.on('message', (word) => {
  if (word === 'calm') faults = 0
})
const { url } = await startProvider({
  ...options,
  get faults() {
    return faults
  },
  now: townClock(time).now,
})
process.on('disconnect', () => process.exit(0))
process.send?.(url)
