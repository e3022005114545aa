export { CallbackCrypt, type CallbackKeys, NotVerified } from '../../wechat/crypt.js'
export { fastifyRoute, nodeListener, type WebHandler } from '../http/handler.js'
export type { WecomCallback } from './callbacks.js'
export {
  type GroupMember,
  type GroupMembers,
  type GroupMembersPool,
  type KnownGroup,
  memoryGroupMembers,
  postgresGroupMembers,
} from './group-members.js'
export { type WecomGroups, type WecomGroupsOptions, wecomGroups } from './groups.js'
export { type WecomSourceOptions, wecomSource } from './source.js'
