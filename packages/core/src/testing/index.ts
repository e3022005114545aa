// Test rules and hosts
export { createWorld, type CreateWorldOptions } from './create-world.js'
export { World } from '../simulation/world.js'
export { ruleCases } from './rule-cases.js'
// Test channels
export {
  type ChannelContractOptions,
  type ContractCase,
  channelContract,
  type ProviderControls,
} from './channel-contract.js'
export {
  type MemoryChannel,
  MemoryChannelError,
  type MemoryChannelOptions,
  type MemoryOutcome,
  memoryChannel,
} from './memory-channel.js'
// Test stores
export { type StoreContractOptions, storeContract } from './store-contract.js'
