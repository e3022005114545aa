export { CallbackCrypt, type CallbackKeys, NotVerified } from '../../wechat/crypt.js'
export { fastifyRoute, nodeListener, type WebHandler } from '../http/handler.js'
export type { WecomCallback } from './callbacks.js'
export { type WecomSourceOptions, wecomSource } from './source.js'
