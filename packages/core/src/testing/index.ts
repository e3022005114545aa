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
// Test issuers of coupons
export { type IssuerContractOptions, issuerContract } from './issuer-contract.js'
export { type MemoryIssuer, type MemoryIssuerOptions, memoryIssuer } from './memory-issuer.js'
// Test stores
export { type StoreContractOptions, storeContract } from './store-contract.js'
// Test what happens when things fail
export {
  channelWithFailpoints,
  failAt,
  type Failpoint,
  type FailpointPlan,
  type OnFailpoint,
  withFailpoints,
} from './faults/failpoints.js'
export {
  PROVIDER_FAULTS,
  type Provider,
  type ProviderEntry,
  type ProviderFault,
  type ProviderOptions,
  startProvider,
} from './faults/provider.js'
export { providerChannel, type ProviderChannelOptions, providerIssuer } from './faults/provider-channel.js'
export { type FaultProxy, type ProxyMode, startFaultProxy } from './faults/proxy.js'
